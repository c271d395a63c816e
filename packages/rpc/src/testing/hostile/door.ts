import { once } from "node:events";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import type { DescService } from "@bufbuild/protobuf";
import type { HostileTarget } from "./attack.ts";

/** Where something listens, in words that another process can be told. */
export interface HostileDoor {
  readonly name: string;
  readonly at:
    | { readonly kind: "unix"; readonly path: string }
    /** A port of 127.0.0.1, before its handshake. */
    | { readonly kind: "tcp"; readonly port: number }
    /** The same after its handshake; without a certificate, as nobody. */
    | {
        readonly kind: "tls";
        readonly port: number;
        readonly client?: { readonly keyPem: string; readonly certificatesPem: string };
      };
  /** Full names of what it serves. */
  readonly services: readonly string[];
  /** {@link HostileTarget.connectionEvery} */
  readonly connectionEvery: number;
  /** {@link HostileTarget.waiting} */
  readonly waiting?: readonly string[];
}

/** What an attacker makes of doors: `known` are the services that they may name. */
export function targetsOf(
  doors: readonly HostileDoor[],
  known: readonly DescService[],
): readonly HostileTarget[] {
  return doors.map(({ at, services, ...door }) => ({
    ...door,
    connect: () => knock(at),
    services: services.map((name) => {
      const service = known.find(({ typeName }) => typeName === name);
      if (service === undefined) throw new Error(`nobody knows the service ${name}`);
      return service;
    }),
  }));
}

/** Times that a connection may end before it is open: a server that is full lets go of some. */
const TRIES_MAX = 20;

async function knock(at: HostileDoor["at"]): Promise<Duplex> {
  for (let tries = 1; ; tries++) {
    const { socket, event } = begin(at);
    const closed = once(socket, "close").then(() => "closed" as const);
    closed.catch(() => undefined);
    try {
      const how = await Promise.race([once(socket, event), closed]);
      if (how !== "closed") return socket;
      if (tries === TRIES_MAX) throw new Error("every connection ended before it was open");
    } catch (error) {
      socket.destroy();
      if (tries === TRIES_MAX) throw error;
    }
  }
}

function begin(at: HostileDoor["at"]): { readonly socket: Duplex; readonly event: string } {
  if (at.kind === "tls") {
    const { port, client } = at;
    const socket = connectTls({
      port,
      host: "127.0.0.1",
      rejectUnauthorized: false,
      ALPNProtocols: ["h2"],
      ...(client === undefined ? {} : { key: client.keyPem, cert: client.certificatesPem }),
    });
    return { socket, event: "secureConnect" };
  }
  const where = at.kind === "unix" ? { path: at.path } : { port: at.port, host: "127.0.0.1" };
  return { socket: connect({ ...where, allowHalfOpen: true }), event: "connect" };
}
