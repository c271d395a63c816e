import { encodePrivateKey, formatPem } from "@bonafide/pki";
import { Entries } from "@bonafide/proto/bonafide/admin/v1/entries_pb";
import { Ledger } from "@bonafide/proto/bonafide/admin/v1/ledger_pb";
import { Recovery } from "@bonafide/proto/bonafide/agent/v1/recovery_pb";
import { NodeSync } from "@bonafide/proto/bonafide/sync/v1/sync_pb";
import { Health } from "@bonafide/proto/grpc/health/v1/health_pb";
import { Agent } from "@bonafide/proto/spire/api/server/agent/v1/agent_pb";
import { Bundle } from "@bonafide/proto/spire/api/server/bundle/v1/bundle_pb";
import { Entry } from "@bonafide/proto/spire/api/server/entry/v1/entry_pb";
import { SVID } from "@bonafide/proto/spire/api/server/svid/v1/svid_pb";
import type { Attacked, HostileDoor } from "@bonafide/rpc/testing";
import type { DescService } from "@bufbuild/protobuf";
import { openTestServer } from "./test-server.ts";

const REMOTE = [Agent, Entry, Bundle, SVID, NodeSync, Recovery] as const;

/** What a server's doors serve. */
export const SERVER_SERVICES: readonly DescService[] = [...REMOTE, Entries, Ledger, Health];

/** Which events are kept: as many lines as inputs would be what grows here. */
function isFault({ event }: { readonly event: string }): boolean {
  return event === "call.failed";
}

/** Opens a server whose doors are to be attacked: the TCP port before and after its handshake, and the private socket. */
export async function openHostileServer(): Promise<Attacked> {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await openTestServer({ keeps: isFault }));
  const { port, adminSocketPath } = server.server;
  const svid = await server.join();
  const services = REMOTE.map(({ typeName }) => typeName);
  const client = {
    keyPem: formatPem("PRIVATE KEY", encodePrivateKey(svid.privateKey)),
    certificatesPem: svid.chain.map((der) => formatPem("CERTIFICATE", der)).join(""),
  };
  const doors: readonly HostileDoor[] = [
    { name: "tcp", at: { kind: "tcp", port }, services, connectionEvery: 1 },
    { name: "tls, nobody", at: { kind: "tls", port }, services, connectionEvery: 20 },
    {
      name: "tls, an agent",
      at: { kind: "tls", port, client },
      services,
      connectionEvery: 20,
      // Who holds a state that this server has not heard of is waited for: it may have come from another server.
      waiting: ["Watch"],
    },
    {
      name: "admin",
      at: { kind: "unix", path: adminSocketPath },
      services: SERVER_SERVICES.map(({ typeName }) => typeName),
      connectionEvery: 4,
      // A follower of the log hears of nothing until there is something.
      waiting: ["Log"],
    },
  ];
  const held = stack.move();
  return {
    doors,
    get faults() {
      return server.events.map((event) => JSON.stringify(event));
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}
