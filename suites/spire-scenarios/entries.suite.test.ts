import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { generateKey } from "@bonafide/pki";
import { Agent } from "@bonafide/proto/spire/api/server/agent/v1/agent_pb";
import {
  Entry as EntryService,
  type SyncAuthorizedEntriesRequestSchema,
} from "@bonafide/proto/spire/api/server/entry/v1/entry_pb";
import { attest } from "@bonafide/server/testing";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { openScenario, ownUser, type Scenario } from "./scenario.ts";

const options = { timeout: 300_000 };
/** More than fit into one message of a synchronization. */
const MANY = 1_150;
const BATCH = 250;

let scenario: Scenario;
before(async () => {
  scenario = await openScenario();
}, options);
after(async () => {
  await scenario[Symbol.asyncDispose]();
});

test("entries: created, updated and deleted, each reaches the workload", options, async () => {
  const entries = scenario.admin(EntryService);
  await using agent = await scenario.agent(await scenario.token("/node/entries"));
  await agent.serves();
  await agent.hasNone();
  const { id } = await scenario.entry("/first", "/node/entries");
  await agent.hasIds([scenario.text("/first")]);

  const changed = {
    id,
    spiffeId: scenario.id("/renamed"),
    parentId: scenario.id("/node/entries"),
    selectors: [ownUser()],
  };
  const { results } = await entries.batchUpdateEntry({ entries: [changed] });
  assert.deepEqual(
    results.map(({ status }) => status?.code),
    [0],
  );
  await agent.hasIds([scenario.text("/renamed")]);

  await entries.batchDeleteEntry({ ids: [id] });
  await agent.hasNone();
});

test(
  "entries: a chain of parents reaches the agent, entries of another node do not",
  options,
  async () => {
    await using agent = await scenario.agent(await scenario.token("/node/chain"));
    await agent.serves();
    await scenario.entry("/middle", "/node/chain", {
      selectors: [{ type: "unix", value: "uid:1" }],
    });
    await scenario.entry("/end", "/middle");
    await scenario.entry("/elsewhere", "/node/other");
    await agent.hasIds([scenario.text("/end")]);
  },
);

test(
  "sync-authorized-entries: more than 500 entries come by revisions first, then as they are asked for",
  options,
  async () => {
    const token = await scenario.token("/node/many");
    const svid = await attest(scenario.remote(Agent), token, generateKey("ec-p256"));
    const entries = scenario.admin(EntryService);
    const paths = Array.from({ length: MANY }, (_, index) => `/many/${index}`);
    for (let from = 0; from < MANY; from += BATCH) {
      const { results } = await entries.batchCreateEntry({
        entries: paths.slice(from, from + BATCH).map((path) => ({
          spiffeId: scenario.id(path),
          parentId: scenario.id("/node/many"),
          selectors: [{ type: "unix", value: "uid:4000000" }],
        })),
      });
      assert.ok(results.every(({ status }) => status?.code === 0));
    }

    const { revisions, wanted } = await synchronize(svid, 3);
    // The node's own name is an entry, too.
    assert.equal(revisions, MANY + 1);
    assert.equal(wanted.length, 3);
    assert.ok(wanted.every(({ selectors, spiffeId }) => selectors > 0 && spiffeId !== ""));
  },
);

/** What a real agent does that knows all entries but so many. */
async function synchronize(
  svid: Parameters<Scenario["remote"]>[1],
  missing: number,
): Promise<{ revisions: number; wanted: { spiffeId: string; selectors: number }[] }> {
  const requests = new Requests();
  const outputMask = { spiffeId: true, selectors: true, revisionNumber: true, createdAt: true };
  requests.add({ outputMask });
  const ids: string[] = [];
  const wanted: { spiffeId: string; selectors: number }[] = [];
  let isAsked = false;
  const answers = scenario.remote(EntryService, svid).syncAuthorizedEntries(requests.all());
  for await (const { entryRevisions, entries, more } of answers) {
    ids.push(...entryRevisions.map(({ id }) => id));
    for (const { spiffeId, selectors } of entries)
      wanted.push({ spiffeId: spiffeId?.path ?? "", selectors: selectors.length });
    if (more) continue;
    if (isAsked) break;
    isAsked = true;
    requests.add({ ids: ids.slice(0, missing) });
  }
  requests.end();
  return { revisions: ids.length, wanted };
}

type Request = MessageInitShape<typeof SyncAuthorizedEntriesRequestSchema>;

/** Requests of a stream, added while answers come. */
class Requests {
  readonly #queue: Request[] = [];
  #wake: (() => void) | undefined;
  #isEnded = false;

  add(request: Request): void {
    this.#queue.push(request);
    this.#wake?.();
  }

  end(): void {
    this.#isEnded = true;
    this.#wake?.();
  }

  async *all(): AsyncGenerator<Request, void, void> {
    for (;;) {
      const request = this.#queue.shift();
      if (request !== undefined) yield request;
      else if (this.#isEnded) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}
