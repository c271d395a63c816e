import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "@bonafide/lifetime";
import { ManualClock } from "@bonafide/lifetime/testing";
import { parseCsr } from "@bonafide/pki";
import { TestCa } from "@bonafide/pki/testing";
import { jwtBundleOf, parseSpiffeId, parseTrustDomainName, x509BundleOf } from "@bonafide/spiffe";
import type { Entry } from "../core/entry.ts";
import { Picture } from "../picture/picture.ts";
import { SvidKeeper } from "./svid-keeper.ts";
import type { SvidSigner } from "./workload-svid.ts";

const TD = parseTrustDomainName("example.org");
const LIFE_MS = 60_000;

const ENTRY: Entry = {
  id: "one",
  spiffeId: parseSpiffeId("spiffe://example.org/one"),
  selectors: [{ type: "unix", value: "uid:1" }],
  federatesWith: [],
  hint: "",
  revision: 0n,
  createdAt: 0n,
  expiresAt: 0n,
  admin: false,
  downstream: false,
  storeSvid: false,
  jwtSvidIncludeJti: false,
};

/** A keeper of one entry, whose server signs for a minute by the true time, which is not the node's wall clock. */
class Site implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly keeper: SvidKeeper;
  signed = 0;
  away = false;
  /** What the server's clock says beyond the monotonic one. */
  #serverMs = this.clock.now();
  readonly #abort = new AbortController();
  readonly #running: Promise<void>;

  constructor() {
    const ca = new TestCa(`spiffe://${TD}`, { commonName: "ca", now: this.clock.now() });
    const x509 = x509BundleOf(TD, [ca.certificate]);
    const none = { tainted: new Set<string>(), taintedJwt: new Set<string>() };
    const jwt = jwtBundleOf(TD, []);
    const picture = new Picture({ trustDomain: TD, x509, jwt, ...none, sequence: 1n });
    const signer: SvidSigner = {
      sign: (requests) => {
        if (this.away) return Promise.reject(new Error("away"));
        const now = this.serverNow();
        return Promise.resolve(
          requests.map(({ csr }) => {
            this.signed++;
            const { spki } = parseCsr(csr);
            const life = { notBefore: now - 10_000, notAfter: now + LIFE_MS };
            const { chain } = ca.issue(ENTRY.spiffeId, { spki, ...life });
            return { kind: "signed", chain: chain.map(({ der }) => der) };
          }),
        );
      },
    };
    const { clock } = this;
    this.keeper = new SvidKeeper({
      clock,
      random: { fraction: () => 0.5 },
      log: silentLog,
      picture,
      signer,
      mayIssue: () => true,
      serverNow: () => clock.now(),
      sawFresh: () => {},
    });
    picture.adopt({ entries: { kind: "whole", entries: [ENTRY] } });
    this.#running = this.keeper.run(this.#abort.signal).catch(() => {});
  }

  serverNow(): number {
    return this.#serverMs + this.clock.monotonicMs();
  }

  /** The machine sleeps: time passes for the server and on the wall, not for the monotonic clock. */
  sleep(ms: number): void {
    this.clock.jump(ms);
    this.#serverMs += ms;
  }

  async settle(): Promise<void> {
    for (let i = 0; i < 5; i++) await this.clock.advance(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#running;
    assert.equal(this.clock.sleepers, 0);
  }
}

test("an SVID is replaced at half of its life by the monotonic clock, whatever the wall clock says", async () => {
  await using site = new Site();
  await site.settle();
  assert.equal(site.signed, 1);
  assert.equal(site.keeper.shortestLifeMs, LIFE_MS);
  await site.clock.advance(LIFE_MS / 2 - 1);
  assert.equal(site.signed, 1);
  await site.clock.advance(1);
  await site.settle();
  assert.equal(site.signed, 2);
});

test("after the machine slept past its end an SVID is not handed out, and a new one is signed at once", async () => {
  await using site = new Site();
  await site.settle();
  const before = site.keeper.svid(ENTRY);
  assert.ok(before !== undefined);
  site.sleep(3_600_000);
  site.keeper.recheck();
  assert.equal(site.keeper.svid(ENTRY), undefined);
  await site.settle();
  assert.equal(site.signed, 2);
  const after = site.keeper.svid(ENTRY);
  assert.ok(after !== undefined && after.notAfter > before.notAfter);
});

test("a clock that is set back lengthens no SVID, and one is signed at once", async () => {
  await using site = new Site();
  await site.settle();
  site.away = true;
  site.clock.jump(-30_000);
  site.keeper.recheck();
  await site.settle();
  assert.ok(site.keeper.svid(ENTRY) !== undefined, "it is good as long as it was");
  await site.clock.advance(LIFE_MS);
  assert.equal(site.keeper.svid(ENTRY), undefined);
});

test("pauses after failed signing are bounded by the life of the SVID", async () => {
  await using site = new Site();
  await site.settle();
  site.away = true;
  await site.clock.advance(LIFE_MS - 10_000);
  site.away = false;
  // A tenth of a minute, with room for the turn of the loop: well before its end.
  await site.clock.advance(6000);
  await site.settle();
  assert.equal(site.signed, 2);
});
