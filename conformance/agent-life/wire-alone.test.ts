import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { openTestAgent, type TestAgent, WORKLOAD_HEADERS } from "@bonafide/agent/testing";
import { parseCertificates } from "@bonafide/pki";
import { Entries } from "@bonafide/proto/bonafide/admin/v1/entries_pb";
import { Diagnosis, SyncMode } from "@bonafide/proto/bonafide/agent/v1/diagnosis_pb";
import { NodeSync } from "@bonafide/proto/bonafide/sync/v1/sync_pb";
import { Agent } from "@bonafide/proto/spire/api/server/agent/v1/agent_pb";
import { Entry } from "@bonafide/proto/spire/api/server/entry/v1/entry_pb";
import { LocalAuthority } from "@bonafide/proto/spire/api/server/localauthority/v1/localauthority_pb";
import { SpiffeWorkloadAPI, type X509SVIDResponse } from "@bonafide/proto/workload_pb";
import { openTestServer, TD, type TestServer } from "@bonafide/server/testing";
import { bundlePem, next, servedStream } from "../workload-api/testing.ts";

/** No measure: it only ends a hang. */
const MS_MAX = 120_000;

/** A server that serves nothing of `bonafide.*`, and an agent that is told nothing of that. */
async function openWireAlone(stack: AsyncDisposableStack): Promise<{
  readonly srv: TestServer;
  readonly agt: TestAgent;
}> {
  const srv = stack.use(await openTestServer({ wireOnly: true }));
  const agt = stack.use(
    await openTestAgent({
      server: { host: "127.0.0.1", port: srv.server.port },
      bootstrap: { kind: "text", text: bundlePem(srv) },
      joinToken: await srv.token(),
      pollIntervalMs: 50,
    }),
  );
  await agt.agent.ready({ signal: AbortSignal.timeout(MS_MAX) });
  return { srv, agt };
}

async function createEntry(srv: TestServer, agt: TestAgent, path: string): Promise<string> {
  const parentPath = (agt.agent.id ?? "").slice(`spiffe://${TD}`.length);
  const { results } = await srv.local(Entry).batchCreateEntry({
    entries: [
      {
        parentId: { trustDomain: TD, path: parentPath },
        spiffeId: { trustDomain: TD, path },
        selectors: [{ type: "unix", value: `uid:${process.getuid?.() ?? 0}` }],
      },
    ],
  });
  assert.equal(results[0]?.status?.code, 0);
  return results[0].entry?.id ?? "";
}

function served(agt: TestAgent): Promise<AsyncGenerator<X509SVIDResponse, void, void>> {
  return servedStream(agt, MS_MAX);
}

/** Reads messages until one is as wanted. */
async function until(
  stream: AsyncGenerator<X509SVIDResponse, void, void>,
  isWanted: (message: X509SVIDResponse) => boolean,
): Promise<X509SVIDResponse> {
  for (;;) {
    const message = await next(stream);
    if (isWanted(message)) return message;
  }
}

const pathsOf = ({ svids }: X509SVIDResponse): string[] =>
  svids.map(({ spiffeId }) => spiffeId.slice(`spiffe://${TD}`.length)).toSorted();

function hex(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString("hex");
}

/** Ids of the authorities in a message's bundle, and of the one that signed its first SVID. */
function authoritiesOf({ svids }: X509SVIDResponse): { bundle: string[]; signer: string } {
  const [svid] = svids;
  const bundle = parseCertificates(svid?.bundle ?? new Uint8Array());
  const [leaf] = parseCertificates(svid?.x509Svid ?? new Uint8Array());
  return {
    bundle: bundle.map(({ subjectKeyId }) => hex(subjectKeyId)),
    signer: hex(leaf?.authorityKeyId),
  };
}

test("every bonafide service of the server is off, and answers UNIMPLEMENTED", async () => {
  await using srv = await openTestServer({ wireOnly: true });
  await assert.rejects(srv.local(Entries).listEntries({}), { status: "unimplemented" });
  await assert.rejects(srv.local(NodeSync).watch({}).next(), { status: "unimplemented" });
});

test("the wire alone: join, sync, serve, change, and hear of a ban", async () => {
  await using stack = new AsyncDisposableStack();
  const { srv, agt } = await openWireAlone(stack);
  assert.equal((await agt.admin(Diagnosis).getStatus({})).syncMode, SyncMode.POLL);
  await createEntry(srv, agt, "/one");
  const stream = await served(agt);
  const second = await createEntry(srv, agt, "/two");
  await until(stream, (message) => pathsOf(message).join() === "/one,/two");
  await srv.local(Entry).batchDeleteEntry({ ids: [second] });
  await until(stream, (message) => pathsOf(message).join() === "/one");
  const call = { headers: WORKLOAD_HEADERS, signal: AbortSignal.timeout(MS_MAX) };
  const workload = agt.workload(SpiffeWorkloadAPI);
  const [token] = (await workload.fetchJWTSVID({ audience: ["db"] }, call)).svids;
  const validated = await workload.validateJWTSVID(
    { audience: "db", svid: token?.svid ?? "" },
    call,
  );
  assert.equal(validated.spiffeId, `spiffe://${TD}/one`);
  await stream.return();
  await agt.restart();
  await agt.agent.ready({ signal: AbortSignal.timeout(MS_MAX) });
  await (await served(agt)).return();
  const path = (agt.agent.id ?? "").slice(`spiffe://${TD}`.length);
  await srv.local(Agent).banAgent({ id: { trustDomain: TD, path } });
  const end = await agt.agent.ended;
  assert.equal(end.kind === "stopped" && end.cause?.code, "agent.banned");
});

for (const wireOnly of [true, false]) {
  const way = wireOnly ? "the wire alone" : "a server that pushes";
  test(`${way}: a forced rotation, a taint and a revocation reach the agent and its workloads`, async () => {
    await using stack = new AsyncDisposableStack();
    const srv = stack.use(await openTestServer({ wireOnly }));
    const agt = stack.use(
      await openTestAgent({
        server: { host: "127.0.0.1", port: srv.server.port },
        bootstrap: { kind: "text", text: bundlePem(srv) },
        joinToken: await srv.token(),
        pollIntervalMs: 50,
      }),
    );
    await agt.agent.ready({ signal: AbortSignal.timeout(MS_MAX) });
    await createEntry(srv, agt, "/one");
    const stream = await served(agt);
    const authorities = srv.local(LocalAuthority);
    const { preparedAuthority } = await authorities.prepareX509Authority({});
    const fresh = preparedAuthority?.authorityId ?? "";
    await until(stream, (message) => authoritiesOf(message).bundle.includes(fresh));
    await authorities.activateX509Authority({ authorityId: fresh });
    const { old } = await authorities.getX509AuthorityState({});
    const former = old?.authorityId ?? "";
    await authorities.taintX509Authority({ authorityId: former });
    const renewed = await until(stream, (message) => authoritiesOf(message).signer === fresh);
    assert.ok(authoritiesOf(renewed).bundle.includes(former), "tainted ones still verify");
    await agt.logged("agent.renewed");
    await authorities.revokeX509Authority({ authorityId: former });
    await until(stream, (message) => !authoritiesOf(message).bundle.includes(former));
    await stream.return();
    // What it rests on is the new authority alone: it goes on under it, and comes back under it.
    await agt.restart();
    await agt.agent.ready({ signal: AbortSignal.timeout(MS_MAX) });
    await (await served(agt)).return();
  });
}
