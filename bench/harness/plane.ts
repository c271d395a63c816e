import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { openTestAgent, type TestAgent } from "@bonafide/agent/testing";
import { formatPem } from "@bonafide/pki";
import { Entry } from "@bonafide/proto/spire/api/server/entry/v1/entry_pb";
import { openTestServer, TD, type TestServer } from "@bonafide/server/testing";
import { openSqliteStore } from "@bonafide/store-sqlite";

/** A server on a SQLite file and an agent that joined it, both in this process, talking over real sockets. */
export interface BenchPlane extends AsyncDisposable {
  readonly server: TestServer;
  readonly agent: TestAgent;
  /** Writes an entry for every process of this user by the admin socket. @returns its id */
  createEntry(path: string): Promise<string>;
}

const NODE = "/node/bench";

/** Opens both; the store lies in the working folder, since its disk is part of what is measured. */
export async function openPlane(): Promise<BenchPlane> {
  const folder = mkdtempSync(join(process.cwd(), ".bench-plane-"));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => {
    rmSync(folder, { recursive: true });
  });
  const store = await openSqliteStore({ path: join(folder, "ledger.db") });
  const server = stack.use(await openTestServer({ store }));
  const authorities = server.server.bundle().authorities;
  const agent = stack.use(
    await openTestAgent({
      server: { host: "127.0.0.1", port: server.server.port },
      bootstrap: {
        kind: "text",
        text: authorities.map(({ der }) => formatPem("CERTIFICATE", der)).join(""),
      },
      joinToken: await server.token(NODE),
    }),
  );
  await agent.agent.ready({ signal: AbortSignal.timeout(60_000) });
  const entries = server.local(Entry);
  const held = stack.move();
  return {
    server,
    agent,
    async createEntry(path) {
      const { results } = await entries.batchCreateEntry({
        entries: [
          {
            spiffeId: { trustDomain: TD, path },
            parentId: { trustDomain: TD, path: NODE },
            selectors: [{ type: "unix", value: `uid:${process.getuid?.() ?? 0}` }],
          },
        ],
      });
      const [result] = results;
      if (result?.entry === undefined)
        throw new Error(`no entry: ${result?.status?.message ?? ""}`);
      return result.entry.id;
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}
