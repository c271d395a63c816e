import { once } from "node:events";
import { createServer as createListener, type Server as Listener, type Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { BonafideError, isBonafideError } from "@bonafide/errors";
import { type Clock, type Log, type Random, slept } from "@bonafide/lifetime";
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
import { addressKey, siteKey } from "../core/address-key.ts";
import { decodeSignedAt, SIGNED_AT_OID } from "../core/signed-at.ts";
import { SERVER_ERRORS } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { exporterValue } from "./exporter-value.ts";
import { OpenCount } from "./open-count.ts";
import { SeldomLog } from "./seldom-log.ts";
import type { ServerPeer } from "./server-peer.ts";

/** What {@link TlsPort} works with. */
export interface TlsPortDeps {
  /** Gets the connections of peers with an admitted certificate. */
  readonly members: RpcServer<ServerPeer>;
  /** Gets those of all others. */
  readonly strangers: RpcServer<ServerPeer>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
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
  /** Connections at a time of one address that are not, or not yet, a member's. */
  readonly strangersPerAddress: number;
  /** The same of all addresses, default {@link LIMITS.unproven}. */
  readonly unprovenMax?: number;
}

/** Time that calls have to end on a connection that was asked to go, ms. */
const GRACE_MS = 10_000;

/**
 * The port that everybody reaches: TLS, where a client certificate is asked for and not required.
 *
 * A certificate is judged here, against the bundle of its own trust domain, before a byte of HTTP/2 is read. One that is
 * refused does not become an anonymous caller: its connection is there only to answer each call with the reason.
 *
 * Until a connection is a member's it counts for its address and site, and the newest is refused beyond the limit; a
 * member's counts for the member. Where all sites have what they may have, the one that holds most ends its oldest. So
 * strangers can keep out strangers of their own network, and members only themselves.
 */
export class TlsPort {
  readonly #deps: TlsPortDeps;
  readonly #options: TlsPortOptions;
  readonly #listener: Listener;
  readonly #tls: Server;
  readonly #cache = createX509SvidCache();
  readonly #ending = new AbortController();
  readonly #seldom: SeldomLog;
  readonly #ofAddress: OpenCount;
  readonly #ofSite: OpenCount;
  readonly #ofMember = new OpenCount({ max: LIMITS.memberConnections });
  /** Gives back the place of a stranger, by the name of the connection. */
  readonly #strangers = new Map<string, () => void>();

  constructor(svid: X509Svid, deps: TlsPortDeps, options: TlsPortOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#seldom = new SeldomLog(deps.clock, deps.log);
    const { strangersPerAddress: max, unprovenMax: totalMax = LIMITS.unproven } = options;
    this.#ofAddress = new OpenCount({ max });
    this.#ofSite = new OpenCount({ max: max * LIMITS.addressesPerSite, totalMax });
    this.#tls = createServer({
      ...secureContextOptions(svid),
      requestCert: true,
      // Judged below: OpenSSL would take any root of any trust domain for any identity.
      rejectUnauthorized: false,
      ALPNProtocols: ["h2"],
      handshakeTimeout: LIMITS.handshakeMs,
    });
    this.#tls.on("secureConnection", (socket) => {
      this.#accept(socket);
    });
    this.#tls.on("tlsClientError", (error, socket) => {
      socket.destroy();
      this.#seldom.write("", { level: "info", event: "tls.handshake_failed", error });
    });
    this.#listener = createListener((socket) => {
      this.#admit(socket);
    });
    this.#listener.maxConnections = LIMITS.connections;
    this.#listener.on("drop", () => {
      this.#full("the server has as many as it may have");
    });
  }

  /** Starts to accept. @returns The port. */
  async listen(): Promise<number> {
    const { host, port } = this.#options;
    this.#listener.listen({ host, port, backlog: 4096 });
    await once(this.#listener, "listening");
    // Nothing of a listening socket is fatal: what cannot be accepted is not.
    this.#listener.on("error", (error) => {
      this.#deps.log({ level: "error", event: "tls.listener_failed", error });
    });
    const address = this.#listener.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  /** Presents another SVID from the next handshake on. */
  present(svid: X509Svid): void {
    this.#tls.setSecureContext(secureContextOptions(svid));
  }

  /** Stops accepting; open connections are the RPC server's. Idempotent. */
  async close(): Promise<void> {
    this.#ending.abort();
    if (!this.#listener.listening) return;
    // Not awaited by its callback: that comes only once the open connections are gone too.
    this.#listener.close();
    await Promise.resolve();
  }

  /** Lets a connection begin its handshake, if its address has not too many already. */
  #admit(socket: Socket): void {
    const { remoteAddress: address } = socket;
    const giveBack = address === undefined ? undefined : this.#take(address, socket);
    if (address === undefined || giveBack === undefined) {
      socket.destroy();
      if (address !== undefined) this.#full("this address has as many as it may have", address);
      return;
    }
    const name = nameOf(socket);
    this.#strangers.set(name, giveBack);
    socket.once("close", () => {
      giveBack();
      if (this.#strangers.get(name) === giveBack) this.#strangers.delete(name);
    });
    this.#tls.emit("connection", socket);
  }

  /** Takes a place of the address and one of its site. @returns What gives both back; undefined: one has no more */
  #take(address: string, socket: Socket): (() => void) | undefined {
    const ended = (): void => {
      socket.destroy();
      this.#full("others had none, and its site had the most", address);
    };
    const ofAddress = this.#ofAddress.take(addressKey(address), ended);
    if (ofAddress === undefined) return undefined;
    const ofSite = this.#ofSite.take(siteKey(address), ended);
    if (ofSite === undefined) {
      ofAddress();
      return undefined;
    }
    return () => {
      ofAddress();
      ofSite();
    };
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
      if (peer.kind === "member") this.#promote(socket, peer.id);
    } catch (error) {
      peer = { kind: "refused", address, error: this.#refusal(error, address) };
    }
    if (socket.destroyed || this.#ending.signal.aborted) {
      socket.destroy();
      return;
    }
    const { members, strangers } = this.#deps;
    const connection = (peer.kind === "member" ? members : strangers).inject(socket, peer);
    if (connection.closed.aborted) this.#full("the server has as many as it may have", address);
    void this.#retire(connection);
  }

  /** From now on the connection counts for the member and no longer for its address. @throws OVERLOADED */
  #promote(socket: TLSSocket, id: SpiffeId): void {
    const giveBack = this.#ofMember.take(id, () => socket.destroy());
    if (giveBack === undefined) {
      throw new BonafideError(SERVER_ERRORS, "OVERLOADED", "too many connections of this member");
    }
    socket.once("close", giveBack);
    this.#strangers.get(nameOf(socket))?.();
  }

  #full(reason: string, address?: string): void {
    const about = address === undefined ? reason : addressKey(address);
    const fields = { reason, ...(address === undefined ? {} : { address }) };
    this.#seldom.write(about, { level: "warn", event: "tls.connection_refused", fields });
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
      notBefore: leaf.notBefore,
      notAfter,
      rootId: authorityIdOf(root),
      signedAt: signedAt === undefined ? undefined : decodeSignedAt(signedAt),
      serialText: leaf.serialText,
    };
  }

  #refusal(error: unknown, address: string): BonafideError {
    if (error instanceof BonafideError && error.code === "OVERLOADED") {
      this.#full("this member has as many as it may have", address);
      return error;
    }
    const fields = { address };
    const event = { level: "warn", event: "tls.certificate_refused", fields, error } as const;
    this.#seldom.write(addressKey(address), event);
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

/** The name of a connection while it is open: its other end. TLS shows the same as the socket below it. */
function nameOf({ remoteAddress = "", remotePort = 0 }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

/** A reset is not news; whoever took the socket sees its end. */
function ignoreReset(): void {}
