import { once } from "node:events";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { BonafideError, isBonafideError } from "@bonafide/errors";
import { type Clock, type Random, slept } from "@bonafide/lifetime";
import type { Connection, RpcServer } from "@bonafide/rpc";
import {
  createX509SvidCache,
  predicate,
  secureContextOptions,
  type SpiffeId,
  type TrustDomain,
  trustDomainOf,
  VerifiedPeer,
  type X509BundleSet,
  type X509Svid,
} from "@bonafide/spiffe";
import { authorityIdOf } from "../authority/sign-svid.ts";
import { decodeSignedAt, SIGNED_AT_OID } from "../core/signed-at.ts";
import { SERVER_ERRORS } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { ServerLog } from "../server-log.ts";
import { exporterValue } from "./exporter-value.ts";
import type { ServerPeer } from "./server-peer.ts";

/** What {@link TlsPort} works with. */
export interface TlsPortDeps {
  readonly rpc: RpcServer<ServerPeer>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: ServerLog;
  /** The bundles of the moment, one a trust domain. */
  readonly bundles: () => X509BundleSet;
  /** Whether a member of another trust domain may connect. */
  readonly isAdmin: (id: SpiffeId) => boolean;
  /** Whether a connection carries a stream that is meant to last; it is then left alone at its usual age. */
  readonly isLasting: (connection: Connection) => boolean;
}

/** Options of {@link TlsPort}. */
export interface TlsPortOptions {
  readonly trustDomain: TrustDomain;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Age at which a connection is asked to go, ms, plus up to a tenth. */
  readonly connectionAgeMs: number;
}

/** Time that calls have to end on a connection that was asked to go, ms. */
const GRACE_MS = 10_000;

/**
 * The port that everybody reaches: TLS, where a client certificate is asked for and not required.
 *
 * A certificate is judged here, against the bundle of its own trust domain, before a byte of HTTP/2 is read. One that is
 * refused does not become an anonymous caller: its connection is there only to answer each call with the reason.
 */
export class TlsPort {
  readonly #deps: TlsPortDeps;
  readonly #options: TlsPortOptions;
  readonly #server: Server;
  readonly #cache = createX509SvidCache();
  readonly #ending = new AbortController();

  constructor(svid: X509Svid, deps: TlsPortDeps, options: TlsPortOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#server = createServer({
      ...secureContextOptions(svid),
      requestCert: true,
      // Judged below: OpenSSL would take any root of any trust domain for any identity.
      rejectUnauthorized: false,
      ALPNProtocols: ["h2"],
      handshakeTimeout: LIMITS.handshakeMs,
    });
    this.#server.maxConnections = LIMITS.connections;
    this.#server.on("secureConnection", (socket) => {
      this.#accept(socket);
    });
    this.#server.on("tlsClientError", (error, socket) => {
      socket.destroy();
      this.#deps.log({ level: "info", event: "tls.handshake_failed", error });
    });
  }

  /** Starts to accept. @returns The port. */
  async listen(): Promise<number> {
    const { host, port } = this.#options;
    this.#server.listen({ host, port, backlog: 4096 });
    await once(this.#server, "listening");
    // Nothing of a listening socket is fatal: what cannot be accepted is not.
    this.#server.on("error", (error) => {
      this.#deps.log({ level: "error", event: "tls.listener_failed", error });
    });
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  /** Presents another SVID from the next handshake on. */
  present(svid: X509Svid): void {
    this.#server.setSecureContext(secureContextOptions(svid));
  }

  /** Stops accepting; open connections are the RPC server's. Idempotent. */
  async close(): Promise<void> {
    this.#ending.abort();
    if (!this.#server.listening) return;
    // Not awaited by its callback: that comes only once the open connections are gone too.
    this.#server.close();
    await Promise.resolve();
  }

  #accept(socket: TLSSocket): void {
    socket.on("error", ignoreReset);
    const address = socket.remoteAddress;
    if (address === undefined || socket.alpnProtocol !== "h2") {
      socket.destroy();
      return;
    }
    let peer: ServerPeer;
    try {
      peer = this.#judge(socket, address);
    } catch (error) {
      peer = { kind: "refused", address, error: this.#refusal(error, address) };
    }
    const connection = this.#deps.rpc.inject(socket, peer);
    void this.#retire(connection);
  }

  #judge(socket: TLSSocket, address: string): ServerPeer {
    // A resumed session shows no certificate and must not pass for somebody who has none.
    if (!socket.isSessionReused() && socket.getPeerX509Certificate() === undefined) {
      return {
        kind: "anonymous",
        address,
        exporter: (label) => exporterValue(socket, label),
      };
    }
    const { trustDomain } = this.#options;
    const { spiffeId, path, notAfter } = VerifiedPeer.verify(socket, {
      bundles: this.#deps.bundles(),
      authorize: predicate(
        `is a member of ${trustDomain} or a listed administrator`,
        ({ id }) => trustDomainOf(id) === trustDomain || this.#deps.isAdmin(id),
      ),
      now: this.#deps.clock.now(),
      cache: this.#cache,
    });
    const leaf = path[0];
    const root = path.at(-1);
    if (leaf === undefined || root === undefined) throw new Error("a path without certificates");
    const signedAt = leaf.extensions.get(SIGNED_AT_OID)?.value;
    return {
      kind: "member",
      address,
      id: spiffeId,
      trustDomain: trustDomainOf(spiffeId),
      notAfter,
      rootId: authorityIdOf(root),
      signedAt: signedAt === undefined ? undefined : decodeSignedAt(signedAt),
      serialText: leaf.serialText,
    };
  }

  #refusal(error: unknown, address: string): BonafideError {
    const fields = { address };
    this.#deps.log({ level: "warn", event: "tls.certificate_refused", fields, error });
    const reason = isBonafideError(error) ? (error.details["reason"] ?? error.code) : "unknown";
    // Who is past its end is told so in the way that makes agents attest again.
    if (reason === "PATH_EXPIRED") {
      return new BonafideError(SERVER_ERRORS, "AGENT_EXPIRED", "the certificate has expired");
    }
    return new BonafideError(
      SERVER_ERRORS,
      "CALLER_CERTIFICATE_REFUSED",
      `the client certificate was refused: ${reason}`,
      { details: { reason } },
    );
  }

  /** Asks a connection to go once it is old: peers come back with a fresh handshake, and to another server if need be. */
  async #retire(connection: Connection): Promise<void> {
    const { clock, random, isLasting } = this.#deps;
    const { connectionAgeMs } = this.#options;
    const signal = AbortSignal.any([connection.closed, this.#ending.signal]);
    do {
      const age = connectionAgeMs * (1 + random.fraction() / 10);
      // If it closed, or the server does, nobody needs to ask it to go.
      if (!(await slept(clock, age, signal))) return;
    } while (isLasting(connection));
    connection.drain(GRACE_MS);
  }
}

/** A reset is not news; whoever took the socket sees its end. */
function ignoreReset(): void {}
