import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "@bonafide/lifetime";
import { ManualClock } from "@bonafide/lifetime/testing";
import { parseCsr } from "@bonafide/pki";
import { TestCa } from "@bonafide/pki/testing";
import { jwtBundleOf, parseSpiffeId, parseTrustDomainName, x509BundleOf } from "@bonafide/spiffe";
import type { TrustBundle } from "../core/bundle.ts";
import type { Entry } from "../core/entry.ts";
import { TAINT_SPREAD_MS } from "../limits.ts";
import { AuthorityTerms } from "../picture/authority-terms.ts";
import { Picture } from "../picture/picture.ts";
import { authorityKeyId } from "../wire/key-id.ts";
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

function bundleOf(authorities: readonly TestCa[], tainted: readonly TestCa[]): TrustBundle {
  return {
    trustDomain: TD,
    x509: x509BundleOf(
      TD,
      authorities.map(({ certificate }) => certificate),
    ),
    tainted: new Set(tainted.map(({ certificate }) => authorityKeyId(certificate))),
    jwt: jwtBundleOf(TD, []),
    taintedJwt: new Set(),
    sequence: 1n,
  };
}

/** A keeper of one entry, whose server signs for a minute by the true time, which is not the node's wall clock. */
class Site implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly keeper: SvidKeeper;
  readonly picture: Picture;
  signed = 0;
  away = false;
  #ca = this.#authority("first");
  readonly #first = this.#ca;
  /** What the server's clock says beyond the monotonic one. */
  #serverMs = this.clock.now();
  readonly #abort = new AbortController();
  readonly #running: Promise<void>;

  constructor() {
    const picture = new Picture(bundleOf([this.#ca], []));
    this.picture = picture;
    const signer: SvidSigner = {
      sign: (requests) => {
        if (this.away) return Promise.reject(new Error("away"));
        const now = this.serverNow();
        return Promise.resolve(
          requests.map(({ csr }) => {
            this.signed++;
            const { spki } = parseCsr(csr);
            const life = { notBefore: now - 10_000, notAfter: now + LIFE_MS };
            const { chain } = this.#ca.issue(ENTRY.spiffeId, { spki, ...life });
            return { kind: "signed", chain: chain.map(({ der }) => der) };
          }),
        );
      },
    };
    const { clock } = this;
    const random = { fraction: () => 0.5 };
    this.keeper = new SvidKeeper({
      clock,
      random,
      log: silentLog,
      picture,
      terms: new AuthorityTerms({ clock, random, picture }),
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

  /** Another authority signs from now on, and the first one is tainted. */
  taint(): void {
    this.#ca = this.#authority("second");
    const bundle = bundleOf([this.#first, this.#ca], [this.#first]);
    this.picture.adopt({ entries: { kind: "same" }, bundle });
  }

  /** The authority that signs is tainted, and the server has no other one yet. */
  taintWithoutAnother(): void {
    const bundle = bundleOf([this.#ca], [this.#ca]);
    this.picture.adopt({ entries: { kind: "same" }, bundle });
  }

  /** The first authority leaves the bundle. */
  revoke(): void {
    this.picture.adopt({ entries: { kind: "same" }, bundle: bundleOf([this.#ca], []) });
  }

  #authority(commonName: string): TestCa {
    return new TestCa(`spiffe://${TD}`, { commonName, now: this.clock.now() });
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

test("a server that goes on signing by a tainted authority is asked again after pauses", async () => {
  await using site = new Site();
  await site.settle();
  site.taintWithoutAnother();
  await site.settle();
  await site.clock.advance(TAINT_SPREAD_MS / 2);
  await site.settle();
  assert.equal(site.signed, 2);
  assert.match(site.keeper.trouble(ENTRY.id) ?? "", /tainted/);
  assert.ok(site.keeper.svid(ENTRY), "the workload keeps what there is");
  site.taint();
  await site.clock.advance(1000);
  await site.settle();
  assert.equal(site.signed, 3);
  assert.equal(site.keeper.trouble(ENTRY.id), undefined);
});

test("SVIDs of a tainted authority are replaced within seconds, not all in one moment", async () => {
  await using site = new Site();
  await site.settle();
  site.taint();
  await site.settle();
  await site.clock.advance(TAINT_SPREAD_MS / 2 - 1);
  assert.equal(site.signed, 1);
  // A further change of the bundle gives no other term.
  site.picture.adopt({
    entries: { kind: "same" },
    bundle: { ...site.picture.bundle, sequence: 7n },
  });
  await site.clock.advance(1);
  await site.settle();
  assert.equal(site.signed, 2);
  // Certificates count in whole seconds.
  await site.clock.advance(LIFE_MS / 2 - 1000);
  assert.equal(site.signed, 2);
});

test("SVIDs of an authority that left the bundle are replaced at once", async () => {
  await using site = new Site();
  await site.settle();
  site.taint();
  site.revoke();
  await site.settle();
  assert.equal(site.signed, 2);
});

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
