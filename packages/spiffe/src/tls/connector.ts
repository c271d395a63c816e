import { isIP, type Socket } from "node:net";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import { BonafideError, isBonafideError } from "@bonafide/errors";
import { type Clock, systemClock } from "@bonafide/lifetime";
import { SPIFFE_ERRORS } from "../errors.ts";
import type { X509ContextSource } from "../source/x509-context.ts";
import { createX509SvidCache, type X509SvidCache } from "../verify/verify-x509-svid.ts";
import type { Authorizer } from "./authorizer.ts";
import { ConnectionGuard } from "./connection-guard.ts";
import { SecureContextCell } from "./secure-context.ts";
import { VerifiedPeer } from "./verified-peer.ts";

/** Options of {@link createTlsConnector}. */
export interface TlsConnectorOptions {
  /** Our SVID and the bundles to judge by; the newest ones at each handshake. */
  readonly source: X509ContextSource;
  /** Whom we are willing to talk to. */
  readonly authorize: Authorizer;
  /** Connect without a certificate of our own, as a node that attests does. Default false: no SVID, no connection. */
  readonly anonymous?: boolean;
  /** Time for a handshake in ms, default 10,000. */
  readonly handshakeTimeoutMs?: number;
  readonly clock?: Clock;
}

/** Where to connect to. */
export type TlsTarget =
  | { readonly host: string; readonly port: number }
  | { readonly path: string }
  /** A socket that is connected, or about to be; `host` names the server when it is a name. */
  | { readonly socket: Socket; readonly host?: string };

/** A connection whose other end was verified; `socket.exportKeyingMaterial` binds messages to it. */
export interface VerifiedConnection {
  readonly socket: TLSSocket;
  readonly peer: VerifiedPeer;
}

/** Opens verified connections. */
export interface TlsConnector extends AsyncDisposable {
  /**
   * Connects and verifies. Not a byte of ours is sent before the verdict.
   *
   * @param options.alpn  Application protocols; one of them must be chosen. None: no negotiation.
   * @throws TLS_HANDSHAKE_FAILED   not reachable, refused by the other end, or too slow; `cause`
   * @throws TLS_PROTOCOL_MISMATCH  no protocol of ours was chosen
   * @throws NO_IDENTITY_ISSUED     the source has no SVID
   * @throws TLS_SESSION_RESUMED, PEER_ANONYMOUS, X509_SVID_INVALID, BUNDLE_NOT_FOUND, X509_SVID_UNTRUSTED,
   *   PEER_NOT_AUTHORIZED
   */
  connect(
    target: TlsTarget,
    options?: { readonly alpn?: readonly string[]; readonly signal?: AbortSignal },
  ): Promise<VerifiedConnection>;
  /** Closes every connection it opened. Idempotent. */
  close(): Promise<void>;
}

/**
 * Makes a connector that verifies each server by the rules of X509-SVID instead of its host name.
 *
 * Each new connection presents the SVID of the moment. Open ones end with their peer's certificate, and when their
 * peer's authority leaves the bundle.
 *
 * @spec X509-SVID §5
 */
export function createTlsConnector(options: TlsConnectorOptions): TlsConnector {
  return new Connector(options);
}

class Connector implements TlsConnector {
  readonly #options: TlsConnectorOptions;
  readonly #clock: Clock;
  readonly #context: SecureContextCell;
  readonly #cache: X509SvidCache = createX509SvidCache();
  readonly #guard: ConnectionGuard;
  readonly #closing = new AbortController();
  #watch: { readonly ending: AbortController; readonly done: Promise<void> } | undefined;

  constructor(options: TlsConnectorOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#context = new SecureContextCell(options.source);
    this.#guard = new ConnectionGuard({ clock: this.#clock, cache: this.#cache, retireMs: 0 });
  }

  async connect(
    target: TlsTarget,
    options: { readonly alpn?: readonly string[]; readonly signal?: AbortSignal } = {},
  ): Promise<VerifiedConnection> {
    const { alpn = [], signal } = options;
    const limit = AbortSignal.timeout(this.#options.handshakeTimeoutMs ?? 10_000);
    const ending = AbortSignal.any([
      limit,
      this.#closing.signal,
      ...(signal === undefined ? [] : [signal]),
    ]);
    ending.throwIfAborted();
    const { source, anonymous = false } = this.#options;
    if (source.context().svid === undefined && !anonymous) {
      throw new BonafideError(SPIFFE_ERRORS, "NO_IDENTITY_ISSUED", "there is no SVID to present");
    }
    // No session is ever passed: a resumed one would skip verification.
    const socket = connect({
      ...destination(target),
      secureContext: this.#context.now,
      ALPNProtocols: [...alpn],
      rejectUnauthorized: false,
    });
    try {
      await handshake(socket, ending);
      const peer = this.#judge(socket, alpn);
      socket.on("error", ignoreSocketError);
      this.#guard.add({ socket, peer, endsAt: undefined });
      this.#watchWhileOpen(socket);
      return { socket, peer };
    } catch (error) {
      socket.on("error", ignoreSocketError);
      socket.destroy();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#guard.destroyAll();
    this.#watch?.ending.abort();
    await this.#watch?.done;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Follows the bundles only while a connection is open, so that a connector that is let go leaves nothing behind. */
  #watchWhileOpen(socket: TLSSocket): void {
    if (this.#watch === undefined) {
      const ending = new AbortController();
      this.#watch = { ending, done: this.#follow(ending.signal) };
    }
    socket.once("close", () => {
      if (this.#guard.size > 0) return;
      this.#watch?.ending.abort();
      this.#watch = undefined;
    });
  }

  async #follow(signal: AbortSignal): Promise<void> {
    for await (const context of this.#options.source.updates({ signal })) {
      this.#guard.recheck(context);
    }
  }

  #judge(socket: TLSSocket, alpn: readonly string[]): VerifiedPeer {
    const protocol = socket.alpnProtocol === false ? "http/1.1" : socket.alpnProtocol;
    if (alpn.length > 0 && (protocol === null || !alpn.includes(protocol))) {
      throw new BonafideError(SPIFFE_ERRORS, "TLS_PROTOCOL_MISMATCH", "no common protocol", {
        details: { protocol: protocol ?? "" },
      });
    }
    const { authorize, source } = this.#options;
    const { bundles } = source.context();
    return VerifiedPeer.verify(socket, {
      bundles,
      authorize,
      now: this.#clock.now(),
      cache: this.#cache,
    });
  }
}

function destination(target: TlsTarget): ConnectionOptions {
  if ("path" in target) return { path: target.path, servername: "" };
  // TLS allows names only; Node refuses to send an address.
  const servername = target.host === undefined || isIP(target.host) !== 0 ? "" : target.host;
  return { ...target, servername };
}

function handshake(socket: TLSSocket, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (error?: BonafideError): void => {
      socket.off("error", onError);
      socket.off("close", onClose);
      socket.off("secureConnect", onSecure);
      signal.removeEventListener("abort", onAbort);
      if (error === undefined) resolve();
      else reject(error);
    };
    const onSecure = (): void => {
      end();
    };
    const onError = (cause: unknown): void => {
      end(failed("the TLS handshake failed", cause));
    };
    const onClose = (): void => {
      end(failed("the connection was closed during the TLS handshake"));
    };
    const onAbort = (): void => {
      const { reason }: { reason: unknown } = signal;
      end(isBonafideError(reason) ? reason : failed("the TLS handshake was given up", reason));
    };
    socket.once("error", onError);
    socket.once("close", onClose);
    socket.once("secureConnect", onSecure);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

function failed(message: string, cause?: unknown): BonafideError {
  return new BonafideError(SPIFFE_ERRORS, "TLS_HANDSHAKE_FAILED", message, { cause });
}

/** A reset is not news; whoever asked for the connection listens for its end. */
function ignoreSocketError(): void {}
