import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { verifyPath } from "@bonafide/pki";
import {
  createTlsAcceptor,
  createTlsConnector,
  exactId,
  memberOf,
  openX509Source,
  type X509Source,
} from "@bonafide/spiffe";
import { TD, Tier } from "./tier.ts";

const options = { timeout: 300_000 } as const;
const folder = mkdtempSync("/tmp/bf-tiers-");
const opened = new AsyncDisposableStack();
const tiers: Tier[] = [];
let high: X509Source;
let low: X509Source;

before(async () => {
  for (let i = 0; i < 3; i++) {
    const own = join(folder, String(i));
    mkdirSync(own, { mode: 0o700 });
    const tier = opened.use(await Tier.open(own, tiers.at(-1)));
    tiers.push(tier);
    if (i < 2) await tier.entry(`/nested-${i + 2}`, "nested", "--downstream");
  }
  const [first, , third] = tiers;
  assert.ok(first && third);
  await first.entry("/high", "app");
  await third.entry("/low", "app");
  high = opened.use(await source(first));
  low = opened.use(await source(third));
}, options);
after(async () => {
  await opened.disposeAsync();
  rmSync(folder, { recursive: true, force: true });
}, options);

function source({ workloadSocket }: Tier): Promise<X509Source> {
  const signal = AbortSignal.timeout(options.timeout);
  return openX509Source({ address: `unix://${workloadSocket}`, hint: "app" }, { signal });
}

/** One connection from one workload to the other, and a byte over it. */
async function talk(from: X509Source, to: X509Source): Promise<void> {
  const wanted = to.context().svid?.id ?? "";
  await using acceptor = createTlsAcceptor(
    { source: to, authorize: memberOf(TD), alpn: ["x"] },
    (socket) => {
      socket.end("y");
    },
  );
  const port = await acceptor.listen({ host: "127.0.0.1", port: 0 });
  await using connector = createTlsConnector({ source: from, authorize: exactId(wanted) });
  const { socket } = await connector.connect({ host: "127.0.0.1", port }, { alpn: ["x"] });
  let read = "";
  for await (const bytes of socket.setEncoding("utf8")) read += String(bytes);
  assert.equal(read, "y");
}

/** Subject key identifier of the root that a workload's SVID leads to now. */
function rootOf(workload: X509Source): string {
  const { svid, bundles } = workload.context();
  const authorities = [...bundles.values()].flatMap((bundle) =>
    bundle.trustDomain === TD ? bundle.authorities : [],
  );
  assert.ok(svid);
  const { path } = verifyPath(svid.chain, authorities, { now: Date.now() });
  return Buffer.from(path.at(-1)?.subjectKeyId ?? []).toString("hex");
}

/** Waits until something holds, and keeps both workloads talking meanwhile. @returns how often they did */
async function meanwhile(holds: () => boolean | Promise<boolean>): Promise<number> {
  let calls = 0;
  while (!(await holds())) {
    await talk(low, high);
    await talk(high, low);
    calls += 2;
    await pause(100);
  }
  return calls;
}

async function rootsAt(tier: Tier | undefined): Promise<ReadonlyMap<string, string>> {
  const shown = (await tier?.cli.json("localauthority", "x509", "show"))?.["authorities"];
  assert.ok(Array.isArray(shown));
  return new Map(
    shown.map(({ id, state }: { id: string; state: string }): [string, string] => [id, state]),
  );
}

test(
  "a workload of the lowest tier and one of the highest talk, by a chain through every tier",
  options,
  async () => {
    assert.equal(high.context().svid?.chain.length, 1);
    assert.equal(low.context().svid?.chain.length, 3);
    await talk(low, high);
    await talk(high, low);
  },
);

test("a token of the lowest tier is judged at the highest", options, async () => {
  const [first, , third] = tiers;
  const minted = await third?.cli.json(
    "jwt",
    "mint",
    `--spiffe-id=spiffe://${TD}/low`,
    "--audience=high",
  );
  const token = String(minted?.["token"] ?? minted?.["svid"]);
  const words = ["api", "validate", "jwt", "--audience=high", `--svid=${token}`];
  for (;;) {
    const { code, out, err } = (await first?.cli.run(...words)) ?? { code: 1, out: "", err: "" };
    if (code === 0) {
      assert.match(out, /spiffe:\/\/example\.org\/low/);
      return;
    }
    // The agent above learns of the key by its stream.
    assert.match(err, /JWT|RPC/);
    await pause(100);
  }
});

test(
  "the root is rotated by force, tainted and revoked: every SVID of every tier moves, and no call fails",
  options,
  async () => {
    const [first, second, third] = tiers;
    assert.ok(first);
    const old = rootOf(low);
    assert.equal(rootOf(high), old);
    const { prepared } = await first.cli.json("localauthority", "x509", "prepare");
    assert.ok(typeof prepared === "object" && prepared !== null && "id" in prepared);
    const next = String(prepared.id);
    // Nobody is asked to believe what they cannot know: the lowest tier has the root before it signs.
    let calls = await meanwhile(async () => (await rootsAt(third)).has(next));
    await first.cli.json("localauthority", "x509", "activate", next);
    await first.cli.json("localauthority", "x509", "taint", old);
    calls += await meanwhile(() => rootOf(low) === next && rootOf(high) === next);
    const authorities = await Promise.all([rootsAt(second), rootsAt(third)]);
    assert.deepEqual(
      authorities.map((known) => known.get(old)),
      ["tainted", "tainted"],
    );
    await first.cli.json("localauthority", "x509", "revoke", old);
    const isGone = (workload: X509Source): boolean =>
      ![...workload.context().bundles.values()].some(({ authorities: roots }) =>
        roots.some(({ subjectKeyId }) => Buffer.from(subjectKeyId ?? []).toString("hex") === old),
      );
    calls += await meanwhile(() => isGone(low) && isGone(high));
    await talk(low, high);
    await talk(high, low);
    assert.ok(calls > 0);
    assert.equal((await rootsAt(third)).get(old), "revoked");
  },
);
