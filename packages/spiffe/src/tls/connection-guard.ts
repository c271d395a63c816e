import type { TLSSocket } from "node:tls";
import { isBonafideError } from "@bonafide/errors";
import type { Clock, EpochMs } from "@bonafide/lifetime";
import type { X509Context } from "../source/x509-context.ts";
import { verifyX509Svid, type X509SvidCache } from "../verify/verify-x509-svid.ts";
import type { VerifiedPeer } from "./verified-peer.ts";

/** How an open connection ends before its owner or its peer ends it. */
export interface GuardedConnection {
  readonly socket: TLSSocket;
  readonly peer: VerifiedPeer | undefined;
  /** Ends it at the latest at this instant; undefined for the peer's `notAfter` alone. */
  readonly endsAt: EpochMs | undefined;
  /** Called some time before the end, so that work can move elsewhere; then the socket is destroyed. */
  readonly retire?: () => void;
}

/** Options of {@link ConnectionGuard}. */
export interface ConnectionGuardOptions {
  readonly clock: Clock;
  readonly cache: X509SvidCache;
  /** How long before the end `retire` is called, in ms, at most; never more than a tenth of what is left. */
  readonly retireMs: number;
  /** Told why an open connection was closed: its authority is gone. */
  readonly onClosed?: (peer: VerifiedPeer, error: unknown) => void;
}

interface Entry extends GuardedConnection {
  revision: string | undefined;
}

/**
 * Watches open connections: none outlives its peer's certificate, and when a bundle changes, those whose authority is
 * gone are closed (a handshake is not the last time that a peer is judged).
 */
export class ConnectionGuard {
  readonly #options: ConnectionGuardOptions;
  readonly #open = new Set<Entry>();

  constructor(options: ConnectionGuardOptions) {
    this.#options = options;
  }

  /** How many connections are open. */
  get size(): number {
    return this.#open.size;
  }

  /** Watches a connection until it closes. */
  add(connection: GuardedConnection): void {
    const { socket, peer, endsAt = Number.POSITIVE_INFINITY } = connection;
    const entry: Entry = { ...connection, revision: peer?.svid.bundleRevision };
    const ending = new AbortController();
    this.#open.add(entry);
    socket.once("close", () => {
      this.#open.delete(entry);
      ending.abort();
    });
    const end = Math.min(endsAt, peer?.notAfter ?? Number.POSITIVE_INFINITY);
    if (Number.isFinite(end)) void this.#endAt(entry, end, ending.signal);
  }

  /** Judges the open connections of each trust domain whose bundle is another one now. */
  recheck(context: X509Context): void {
    const { clock, cache, onClosed } = this.#options;
    for (const entry of this.#open) {
      const { peer, socket } = entry;
      if (peer === undefined) continue;
      const revision = context.bundles.get(peer.trustDomain)?.revision;
      if (revision === entry.revision) continue;
      try {
        const now = clock.now();
        entry.revision = verifyX509Svid(peer.presented, context.bundles, {
          now,
          cache,
        }).bundleRevision;
      } catch (error) {
        socket.destroy();
        onClosed?.(peer, error);
        if (!isBonafideError(error)) throw error;
      }
    }
  }

  /** Asks every connection to move its work elsewhere. */
  retireAll(): void {
    for (const { retire } of this.#open) retire?.();
  }

  /** Destroys every connection. */
  destroyAll(): void {
    for (const { socket } of this.#open) socket.destroy();
  }

  async #endAt(entry: Entry, end: EpochMs, signal: AbortSignal): Promise<void> {
    const { clock, retireMs } = this.#options;
    const left = Math.max(end - clock.now(), 0);
    const notice = Math.min(retireMs, left / 10);
    try {
      await clock.sleep(left - notice, { signal, unref: true });
      entry.retire?.();
      await clock.sleep(notice, { signal, unref: true });
      entry.socket.destroy();
    } catch (error) {
      // The connection closed by itself, which is what aborts the sleep.
      if (!signal.aborted) throw error;
    }
  }
}
