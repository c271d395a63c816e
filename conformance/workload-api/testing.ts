import process from "node:process";
import { setImmediate as nextTurn } from "node:timers/promises";
import { openTestAgent, type TestAgent, WORKLOAD_HEADERS } from "@bonafide/agent/testing";
import { formatPem } from "@bonafide/pki";
import { Diagnosis } from "@bonafide/proto/bonafide/agent/v1/diagnosis_pb";
import { Entry } from "@bonafide/proto/spire/api/server/entry/v1/entry_pb";
import { SpiffeWorkloadAPI, type X509SVIDResponse } from "@bonafide/proto/workload_pb";
import {
  openTestServer,
  TD,
  type TestServer,
  type TestServerOptions,
} from "@bonafide/server/testing";

/** What an entry of a test may say beside its path. */
export interface EntryInit {
  readonly parentPath?: string;
  readonly selectors?: { type: string; value: string }[];
  readonly hint?: string;
  readonly x509SvidTtl?: number;
  readonly federatesWith?: string[];
}

/** A server and an agent that has joined it. */
export interface Node extends AsyncDisposable {
  readonly srv: TestServer;
  readonly agt: TestAgent;
  /** Path of the agent's ID. */
  readonly agentPath: string;
  /**
   * Makes an entry of this node for this process's uid, unless `init` says otherwise, and waits until the agent has
   * heard of it.
   *
   * @returns Its id.
   */
  entry(path: string, init?: EntryInit): Promise<string>;
  /** Removes an entry; does not wait. */
  remove(id: string): Promise<void>;
  /** Resolves once the agent knows a state of the server at or after this revision. */
  heard(revision: bigint): Promise<void>;
}

/** PEM of a server's bundle, as an operator hands it to an agent. */
export function bundlePem(srv: TestServer): string {
  return srv.server
    .bundle()
    .authorities.map(({ der }) => formatPem("CERTIFICATE", der))
    .join("");
}

/** Opens both; resolves once the agent has heard of its entries. */
export async function openNode(options: TestServerOptions = {}): Promise<Node> {
  // Both are closed also when one of them fails to open or to close.
  await using stack = new AsyncDisposableStack();
  const srv = stack.use(await openTestServer(options));
  const agt = stack.use(
    await openTestAgent({
      server: { host: "127.0.0.1", port: srv.server.port },
      bootstrap: { kind: "text", text: bundlePem(srv) },
      joinToken: await srv.token(),
      ...(options.clock === undefined ? {} : { clock: options.clock }),
    }),
  );
  await agt.agent.ready({ signal: AbortSignal.timeout(60_000) });
  const agentPath = (agt.agent.id ?? "").slice(`spiffe://${TD}`.length);
  const diagnosis = agt.admin(Diagnosis);
  const heard = async (revision: bigint): Promise<void> => {
    while ((await diagnosis.getStatus({})).revision < revision) await nextTurn();
  };
  const both = stack.move();
  return {
    srv,
    agt,
    agentPath,
    heard,
    async entry(path, init = {}) {
      const { parentPath = agentPath, ...rest } = init;
      const { results } = await srv.local(Entry).batchCreateEntry({
        entries: [
          {
            parentId: { trustDomain: TD, path: parentPath },
            spiffeId: { trustDomain: TD, path },
            selectors: [{ type: "unix", value: `uid:${process.getuid?.() ?? 0}` }],
            ...rest,
          },
        ],
      });
      const [result] = results;
      if (result?.status?.code !== 0) throw new Error(result?.status?.message ?? "no result");
      if (parentPath === agentPath) await heard(result.entry?.revisionNumber ?? 0n);
      return result.entry?.id ?? "";
    },
    async remove(id) {
      await srv.local(Entry).batchDeleteEntry({ ids: [id] });
    },
    [Symbol.asyncDispose]: () => both.disposeAsync(),
  };
}

/** Opens FetchX509SVID; the caller iterates and ends it. */
export function watchSvids(
  agt: TestAgent,
  signal: AbortSignal = AbortSignal.timeout(60_000),
): AsyncGenerator<X509SVIDResponse, void, void> {
  return agt.workload(SpiffeWorkloadAPI).fetchX509SVID({}, { headers: WORKLOAD_HEADERS, signal });
}

/** The next message of a stream that has one. */
export async function next<T>(stream: AsyncGenerator<T, void, void>): Promise<T> {
  const result = await stream.next();
  if (result.done === true) throw new Error("the stream ended");
  return result.value;
}

/**
 * Opens FetchX509SVID until a stream is served, and has read its first message: an agent whose own SVID has ended
 * refuses calls until it has another one.
 */
export async function servedStream(
  agt: TestAgent,
  msMax = 60_000,
): Promise<AsyncGenerator<X509SVIDResponse, void, void>> {
  for (;;) {
    const stream = watchSvids(agt, AbortSignal.timeout(msMax));
    try {
      await next(stream);
      return stream;
    } catch {
      await stream.return();
    }
  }
}
