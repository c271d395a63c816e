import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { connect as connectTls } from "node:tls";
import { systemClock, systemRandom } from "@bonafide/lifetime";
import { openServer } from "@bonafide/rpc";
import { TestTrustDomain } from "@bonafide/spiffe/testing";
import type { ServerPeer } from "./port/server-peer.ts";
import { TlsPort } from "./port/tls-port.ts";

const own = new TestTrustDomain("example.org");
const { trustDomain } = own;

test("silent connections of a few addresses leave room for a handshake of another", async () => {
  const gaveWay: string[] = [];
  await using rpc = openServer<ServerPeer>();
  const port = new TlsPort(
    own.issue("/spire/server"),
    {
      members: rpc,
      strangers: rpc,
      clock: systemClock,
      random: systemRandom,
      log: ({ fields = {} }) => {
        if (String(fields["reason"]).startsWith("others had none")) {
          gaveWay.push(String(fields["address"]));
        }
      },
      bundles: () => new Map(),
      isAdmin: () => false,
      isLasting: () => false,
    },
    {
      trustDomain,
      host: "127.0.0.1",
      port: 0,
      connectionAgeMs: 3_600_000,
      strangersPerAddress: 10,
      unprovenMax: 6,
    },
  );
  const number = await port.listen();
  const silent: Socket[] = [];
  // Silent connections end by themselves after a while: on a slow machine it may take a second round.
  while (gaveWay.length === 0) {
    for (let i = 0; i < 6; i++) {
      const localAddress = `127.0.0.${2 + (i % 2)}`;
      const socket = connect({ host: "127.0.0.1", port: number, localAddress });
      socket.on("error", () => {});
      socket.resume();
      await once(socket, "connect");
      silent.push(socket);
    }
    const honest = connectTls({
      host: "127.0.0.1",
      port: number,
      rejectUnauthorized: false,
      ALPNProtocols: ["h2"],
    });
    await once(honest, "secureConnect");
    honest.destroy();
  }
  assert.match(gaveWay[0] ?? "", /^127\.0\.0\.[23]$/);
  for (const socket of silent) socket.destroy();
  await port.close();
});
