import { once } from "node:events";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
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
import type { HostileTarget } from "@bonafide/rpc/testing";
import { openTestServer, type TestServer, type TestSvid } from "./test-server.ts";

/** A server whose doors are to be attacked: the TCP port before and after its handshake, and the private socket. */
export interface HostileServer extends AsyncDisposable {
  readonly server: TestServer;
  readonly targets: readonly HostileTarget[];
}

/** Opens a server and names what listens. */
export async function openHostileServer(): Promise<HostileServer> {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await openTestServer());
  const { port, adminSocketPath } = server.server;
  const svid = await server.join();
  const remote = [Agent, Entry, Bundle, SVID, NodeSync, Recovery];
  const targets: readonly HostileTarget[] = [
    {
      name: "tcp",
      connect: () =>
        connected(connect({ port, host: "127.0.0.1", allowHalfOpen: true }), "connect"),
      services: remote,
      connectionEvery: 1,
    },
    {
      name: "tls, nobody",
      connect: () => connectedTls(port),
      services: remote,
      connectionEvery: 20,
    },
    {
      name: "tls, an agent",
      connect: () => connectedTls(port, svid),
      services: remote,
      connectionEvery: 20,
      // Who holds a state that this server has not heard of is waited for: it may have come from another server.
      waiting: ["Watch"],
    },
    {
      name: "admin",
      connect: () => connected(connect({ path: adminSocketPath, allowHalfOpen: true }), "connect"),
      services: [Agent, Entry, Bundle, SVID, NodeSync, Recovery, Entries, Ledger, Health],
      connectionEvery: 4,
      // A follower of the log hears of nothing until there is something.
      waiting: ["Log"],
    },
  ];
  const held = stack.move();
  return { server, targets, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

function connectedTls(port: number, svid?: TestSvid): Promise<Duplex> {
  const socket = connectTls({
    port,
    host: "127.0.0.1",
    rejectUnauthorized: false,
    ALPNProtocols: ["h2"],
    ...(svid === undefined
      ? {}
      : {
          key: formatPem("PRIVATE KEY", encodePrivateKey(svid.privateKey)),
          cert: svid.chain.map((der) => formatPem("CERTIFICATE", der)).join(""),
        }),
  });
  return connected(socket, "secureConnect");
}

async function connected(socket: Duplex, event: string): Promise<Duplex> {
  await once(socket, event);
  return socket;
}
