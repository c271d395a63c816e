import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { NODE_PATH, Plane, TD, until } from "../../suites/faults/plane.ts";
import { type CheckedIn, Console, plantDump, readDumps, SHIFTED_CLI } from "./dump.ts";

// Today's code on copies of what released versions left behind, by a clock that stands where the data was made.

const options = { timeout: 240_000 };
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const AGES = [
  { age: "a minute later", ms: MINUTE_MS },
  // Every certificate in it is over, and its newest authority is kept for recovery only.
  { age: "eight days later", ms: 8 * DAY_MS },
];

/** Both processes on a copy of a dump, at an age of it. */
class Upgraded implements AsyncDisposable {
  readonly plane: Plane;
  readonly console: Console;
  readonly #env: Readonly<Record<string, string>>;

  private constructor(plane: Plane, shiftMs: number) {
    this.plane = plane;
    this.console = new Console(plane, shiftMs);
    this.#env = { SHIFT_MS: String(shiftMs) };
  }

  static async open(checkedIn: CheckedIn, ageMs: number): Promise<Upgraded> {
    const plane = await Plane.open();
    const shiftMs = checkedIn.dump.madeAtMs + ageMs - Date.now();
    const upgraded = new Upgraded(plane, shiftMs);
    plantDump(checkedIn, plane);
    const server = plane.startServer({ entry: SHIFTED_CLI, env: upgraded.#env });
    await plane.served(server, "server");
    await plane.token();
    return upgraded;
  }

  /** Starts an agent on a folder of the copy, or on a new one with a token. */
  async startAgent(
    join: { readonly token?: string; readonly dataDir?: string } = {},
  ): Promise<void> {
    const { plane } = this;
    const agent = plane.startAgent({ entry: SHIFTED_CLI, env: this.#env, ...join });
    await plane.served(agent, "agent");
  }

  /** Names of the identities that this process gets. */
  async fetched(): Promise<readonly string[]> {
    const socket = `unix://${this.plane.workloadSocket}`;
    const words = ["api", "fetch", "x509", "--json", "--timeout=60s", "--socket", socket];
    const text = await this.console.run(...words);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- compared below
    const { svids } = JSON.parse(text) as { svids: readonly { spiffeId: string }[] };
    return svids.map(({ spiffeId }) => spiffeId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.plane[Symbol.asyncDispose]();
  }
}

/** Ids of entries that a log leaves standing: those it names last without a tombstone after them. */
function entryIds({ dump }: CheckedIn): readonly string[] {
  const ids = dump.leaves.filter(({ kind, tombstone }) => kind === "entry" && !tombstone);
  return [...new Set(ids.map(({ naturalKey }) => naturalKey))].filter(
    (id) => id !== "to-be-deleted",
  );
}

const dumps = readDumps();
assert.ok(dumps.length > 0, "no dump is checked in");

for (const checkedIn of dumps) {
  const { name, dump } = checkedIn;
  for (const { age, ms } of AGES) {
    test(`${name}, ${age}: the ledger is what it was, clean, and goes on`, options, async () => {
      await using upgraded = await Upgraded.open(checkedIn, ms);
      const leaves = await upgraded.console.leaves();
      assert.deepEqual(leaves.slice(0, dump.leaves.length), dump.leaves);
      const verified = await upgraded.console.row<{ clean: boolean; head: { n: number } }>(
        "ledger",
        "verify",
      );
      assert.ok(verified.clean, JSON.stringify(verified));
      assert.ok(verified.head.n >= dump.head.n);
    });

    test(
      `${name}, ${age}: entries and nodes are found by name, as they were`,
      options,
      async () => {
        await using upgraded = await Upgraded.open(checkedIn, ms);
        const { console } = upgraded;
        const ids = entryIds(checkedIn);
        assert.ok(ids.length >= 7, ids.join());
        for (const id of ids)
          assert.equal((await console.row<{ id: string }>("entry", "show", id)).id, id);
        await assert.rejects(console.row("entry", "show", "to-be-deleted"));
        const { agents } = await console.row<{
          agents: readonly { id: string; banned: boolean }[];
        }>("agent", "list");
        const banned = new Map(agents.map((agent) => [agent.id, agent.banned]));
        assert.deepEqual(
          [dump.agents.live, dump.agents.banned, dump.agents.evicted].map((id) => banned.get(id)),
          [false, true, undefined],
        );
      },
    );

    test(
      `${name}, ${age}: the agent's folder goes on, and old and new entries get SVIDs`,
      options,
      async () => {
        await using upgraded = await Upgraded.open(checkedIn, ms);
        const { plane, console } = upgraded;
        const uid = process.getuid?.() ?? 0;
        await upgraded.startAgent();
        const { agentId } = await plane.status();
        assert.equal(agentId, dump.agents.live);
        const path = "/made-after-the-upgrade";
        const parent = `spiffe://${TD}${NODE_PATH}`;
        const flags = ["--parent-id", parent, "--selector", `unix:uid:${uid}`];
        await console.row("entry", "create", "--spiffe-id", `spiffe://${TD}${path}`, ...flags);
        const paths = uid === 0 ? [path, "/web"] : [path];
        const expected = paths.map((each) => `spiffe://${TD}${each}`).join();
        await until(
          `exactly ${expected}`,
          async () => (await upgraded.fetched()).toSorted().join() === expected,
          { withinMs: 120_000 },
        );
      },
    );

    test(
      `${name}, ${age}: a token made before the upgrade admits one node after it`,
      options,
      async () => {
        await using upgraded = await Upgraded.open(checkedIn, ms);
        const { plane } = upgraded;
        await upgraded.startAgent({ token: dump.unspentToken, dataDir: "new" });
        const { agentId } = await plane.status();
        assert.ok(agentId.startsWith(`spiffe://${TD}/spire/agent/join_token/`), agentId);
        assert.notEqual(agentId, dump.agents.live);
      },
    );
  }
}
