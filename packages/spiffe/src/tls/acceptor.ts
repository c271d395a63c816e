import { once } from "node:events";
import type { ListenOptions, Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { BonafideError, isBonafideError } from "@bonafide/errors";
import { type Clock, systemClock } from "@bonafide/lifetime";
import { SPIFFE_ERRORS } from "../errors.ts";
import type { X509Context, X509ContextSource } from "../source/x509-context.ts";
import { createX509SvidCache, type X509SvidCache } from "../verify/verify-x509-svid.ts";
import type { Authorizer } from "./authorizer.ts";
import { ConnectionGuard } from "./connection-guard.ts";
import { secureContextOptions } from "./secure-context.ts";
import { isAnonymous, VerifiedPeer } from "./verified-peer.ts";

/** A connection that was not handed on, or was closed because its authority is gone. */
export interface Refusal {
  readonly error: BonafideError;
  /** IP address of the other end; undefined on a unix socket or when it is gone already. */
  readonly remoteAddress: string | undefined;
}

/** Options of {@link createTlsAcceptor}. */
export interface TlsAcceptorOptions {
  /** Our SVID and the bundles to judge by; the newest ones at each handshake. */
  readonly source: X509ContextSource;
  /** Who may connect. */
  readonly authorize: Authorizer;
  /** Application protocols in order of preference; a peer that offers none is taken for `http/1.1`. */
  readonly alpn: readonly string[];
  /** Told about each refusal, after the socket is destroyed. Must not throw. */
  readonly onRefused?: (refusal: Refusal) => void;
  /** Time for a handshake in ms, default 10,000. */
  readonly handshakeTimeoutMs?: number;
  /** Connections held at once, default 10,000; further ones are dropped before their handshake. */
  readonly connectionsMax?: number;
  /** A connection ends after this, in ms, or at its peer's `notAfter` if that is earlier; default no limit. */
  readonly connectionLifetimeMs?: number;
  /** How long before its end a connection is asked to move its work elsewhere, default 5000 ms. */
  readonly retireMs?: number;
  /** Connections allowed at the listen queue, default 511. */
  readonly backlog?: number;
  readonly clock?: Clock;
}

/** What an adapter returns for a connection that it took. */
export interface TakenConnection {
  /** Moves the work elsewhere (GOAWAY, `connection: close`) some time before the connection ends. */
  retire(): void;
}

/** Takes a verified connection. Not a byte of it was read. */
export type TakeConnection<Peer> = (
  socket: TLSSocket,
  peer: Peer,
) => TakenConnection | undefined | void;

/** A listener that hands on verified connections only. */
export interface TlsAcceptor extends AsyncDisposable {
  /**
   * Starts to accept.
   *
   * @returns The port, or 0 on a unix socket.
   * @throws LISTEN_FAILED  the address is taken or not ours; `cause`
   */
  listen(options: ListenOptions): Promise<number>;
  /** Open connections. */
  readonly connections: number;
  /** Asks every open connection to move its work elsewhere, so that peers shake hands again. */
  retireAll(): void;
  /** Stops accepting, then closes every connection. Idempotent. */
  close(): Promise<void>;
}

const CONNECTIONS_MAX = 10_000;

/**
 * Makes a TLS listener that verifies each peer by the rules of X509-SVID before it hands the socket on: against the
 * bundle of the leaf's own trust domain, never by a resumed session, and by an explicit authorizer.
 *
 * Rotation of our SVID reaches it without a restart; open connections keep theirs.
 *
 * @spec X509-SVID §5
 */
export function createTlsAcceptor(
  options: TlsAcceptorOptions,
  take: TakeConnection<VerifiedPeer>,
): TlsAcceptor {
  return new Acceptor(options, (socket, peer) => {
    if (peer === undefined) throw anonymous();
    return take(socket, peer);
  });
}

/**
 * As {@link createTlsAcceptor}, but also hands on peers that show no certificate at all, with `undefined` for a peer. A
 * peer that shows one which does not verify is refused as ever.
 */
export function createTlsAcceptorWithAnonymous(
  options: TlsAcceptorOptions,
  take: TakeConnection<VerifiedPeer | undefined>,
): TlsAcceptor {
  return new Acceptor(options, take);
}

class Acceptor implements TlsAcceptor {
  readonly #options: TlsAcceptorOptions;
  readonly #take: TakeConnection<VerifiedPeer | undefined>;
  readonly #clock: Clock;
  readonly #cache: X509SvidCache = createX509SvidCache();
  readonly #guard: ConnectionGuard;
  readonly #server: Server;
  readonly #closing = new AbortController();
  /** Every TCP connection, also those that have not finished a handshake. */
  readonly #sockets = new Set<Socket>();
  #presenting: X509Context["svid"];
  #following: Promise<void> | undefined;

  constructor(options: TlsAcceptorOptions, take: TakeConnection<VerifiedPeer | undefined>) {
    this.#options = options;
    this.#take = take;
    this.#clock = options.clock ?? systemClock;
    this.#guard = new ConnectionGuard({
      clock: this.#clock,
      cache: this.#cache,
      retireMs: options.retireMs ?? 5000,
      onClosed: (_peer, error) => {
        this.#refuse(error, undefined);
      },
    });
    this.#presenting = options.source.context().svid;
    this.#server = createServer({
      ...secureContextOptions(this.#presenting),
      requestCert: true,
      // Chains are judged below, per trust domain; OpenSSL would judge them by one list of roots for all.
      rejectUnauthorized: false,
      ALPNProtocols: [...options.alpn],
      handshakeTimeout: options.handshakeTimeoutMs ?? 10_000,
    });
    this.#server.maxConnections = options.connectionsMax ?? CONNECTIONS_MAX;
    this.#server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    this.#server.on("secureConnection", (socket) => {
      this.#accept(socket);
    });
    this.#server.on("tlsClientError", (error, socket) => {
      const { remoteAddress } = socket;
      // After a timeout Node reports and leaves the socket open.
      socket.destroy();
      this.#refuse(error, remoteAddress);
    });
  }

  get connections(): number {
    return this.#guard.size;
  }

  async listen(options: ListenOptions): Promise<number> {
    this.#following ??= this.#follow();
    this.#server.listen({ backlog: this.#options.backlog ?? 511, ...options });
    try {
      await once(this.#server, "listening");
    } catch (cause) {
      throw new BonafideError(SPIFFE_ERRORS, "LISTEN_FAILED", "cannot listen there", { cause });
    }
    // Out of descriptors, for one: that connection is lost, and the listener goes on.
    this.#server.on("error", (error) => {
      this.#refuse(error, undefined);
    });
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  retireAll(): void {
    this.#guard.retireAll();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    const closed = this.#server.listening ? once(this.#server, "close") : undefined;
    this.#server.close();
    this.#guard.destroyAll();
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all([closed, this.#following]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #follow(): Promise<void> {
    const { signal } = this.#closing;
    for await (const context of this.#options.source.updates({ signal })) {
      this.#guard.recheck(context);
      if (context.svid === this.#presenting) continue;
      try {
        this.#server.setSecureContext(secureContextOptions(context.svid));
        this.#presenting = context.svid;
      } catch (error) {
        // OpenSSL does not take the new one; the old one is as good as it was.
        this.#refuse(error, undefined);
      }
    }
  }

  #accept(socket: TLSSocket): void {
    socket.on("error", ignoreSocketError);
    const { remoteAddress, localAddress } = socket;
    try {
      // Reset already, and its requests may wait to be read: nobody could say any more where they came from.
      if (remoteAddress === undefined && localAddress !== undefined) {
        throw handshakeFailed(new Error("the connection is gone"));
      }
      const peer = this.#judge(socket);
      const taken = this.#take(socket, peer);
      const { connectionLifetimeMs } = this.#options;
      this.#guard.add({
        socket,
        peer,
        endsAt:
          connectionLifetimeMs === undefined ? undefined : this.#clock.now() + connectionLifetimeMs,
        retire: () => taken?.retire(),
      });
    } catch (error) {
      socket.destroy();
      this.#refuse(error, remoteAddress);
    }
  }

  #judge(socket: TLSSocket): VerifiedPeer | undefined {
    const { alpn, authorize, source } = this.#options;
    const protocol = socket.alpnProtocol === false ? "http/1.1" : socket.alpnProtocol;
    if (protocol === null || !alpn.includes(protocol)) {
      throw new BonafideError(SPIFFE_ERRORS, "TLS_PROTOCOL_MISMATCH", "no common protocol", {
        details: { protocol: protocol ?? "" },
      });
    }
    const { svid, bundles } = source.context();
    // OpenSSL still holds the old certificate; without an identity of our own we serve nobody.
    if (svid === undefined) {
      throw new BonafideError(
        SPIFFE_ERRORS,
        "NO_IDENTITY_ISSUED",
        "there is no SVID to serve with",
      );
    }
    if (isAnonymous(socket)) return undefined;
    return VerifiedPeer.verify(socket, {
      bundles,
      authorize,
      now: this.#clock.now(),
      cache: this.#cache,
    });
  }

  #refuse(error: unknown, remoteAddress: string | undefined): void {
    const { onRefused } = this.#options;
    if (isBonafideError(error)) onRefused?.({ error, remoteAddress });
    else onRefused?.({ error: handshakeFailed(error), remoteAddress });
  }
}

function anonymous(): BonafideError {
  return new BonafideError(SPIFFE_ERRORS, "PEER_ANONYMOUS", "the peer showed no certificate");
}

function handshakeFailed(cause: unknown): BonafideError {
  return new BonafideError(SPIFFE_ERRORS, "TLS_HANDSHAKE_FAILED", "the TLS handshake failed", {
    cause,
  });
}

/** A reset is not news; whoever took the socket listens for its end. */
function ignoreSocketError(): void {}
