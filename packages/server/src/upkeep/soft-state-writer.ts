import { type Clock, type EpochMs, every, type Log } from "@bonafide/lifetime";
import type { NodeSoftState, SoftStateStore } from "@bonafide/plugin-api";
import { SOFT_STATES_MAX } from "@bonafide/plugin-api";
import { newestSvid, type SvidMark } from "../core/newest-svid.ts";

/** What {@link SoftStateWriter} works with. */
export interface SoftStateDeps {
  readonly soft: SoftStateStore;
  readonly clock: Clock;
  readonly log: Log;
}

/** An agent that called, by the SVID that it showed. */
export interface Seen {
  readonly id: string;
  /** Decimal serial number. */
  readonly serialText: string;
  readonly notBefore: EpochMs;
  readonly notAfter: EpochMs;
}

/** The store has no place for when an SVID began: it is known of those that were seen since the start. */
type KnownNode = NodeSoftState & SvidMark;

/** A node is written at most once in this time, ms. */
const WRITE_MS = 60_000;

/**
 * Keeps what is known of nodes without a leaf, and writes it in batches, at most once a minute. Losing it does no harm;
 * a store that refuses writes only makes it later.
 */
export class SoftStateWriter {
  readonly #deps: SoftStateDeps;
  readonly #known = new Map<string, KnownNode>();
  readonly #dirty = new Set<string>();
  /** Serials of what was issued and not used yet, by node. */
  readonly #issued = new Map<string, string>();
  #isLoaded = false;

  constructor(deps: SoftStateDeps) {
    this.#deps = deps;
  }

  /**
   * Takes over what the store has, once; what was seen meanwhile stays.
   *
   * @throws what the store throws; the next call tries again
   */
  async load(): Promise<void> {
    if (this.#isLoaded) return;
    for (let after = ""; ;) {
      const page = await this.#deps.soft.nodesAfter(after, SOFT_STATES_MAX);
      for (const state of page) {
        if (!this.#known.has(state.spiffeId)) this.#known.set(state.spiffeId, state);
      }
      const last = page.at(-1);
      if (last === undefined || page.length < SOFT_STATES_MAX) break;
      after = last.spiffeId;
    }
    this.#isLoaded = true;
  }

  /** Notes that an agent called now. @param agentVersion  undefined: it did not say */
  saw(seen: Seen, agentVersion?: string): void {
    const { id, serialText } = seen;
    const used = markOf(seen);
    const issued = this.#issued.get(id);
    if (issued === serialText) this.#issued.delete(id);
    this.#note(id, newestSvid(this.#known.get(id), used, issued), agentVersion);
  }

  /** Notes that an SVID was signed for a node. It is the node's newest once it is used, or at once if there is none. */
  issued(seen: Seen): void {
    const { id, serialText } = seen;
    const known = this.#known.get(id);
    this.#issued.set(id, serialText);
    this.#note(id, known === undefined || known.serialNumber === "" ? markOf(seen) : known);
  }

  #note(spiffeId: string, newest: SvidMark, agentVersion?: string): void {
    const { serialNumber, expiresAtMs, beginsAtMs } = newest;
    const before = this.#known.get(spiffeId);
    this.#known.set(spiffeId, {
      spiffeId,
      lastSeenAtMs: this.#deps.clock.now(),
      serialNumber,
      expiresAtMs,
      beginsAtMs,
      agentVersion: agentVersion ?? before?.agentVersion ?? "",
    });
    this.#dirty.add(spiffeId);
  }

  /** The newest that is known of a node, also what is not written yet. */
  of(spiffeId: string): KnownNode | undefined {
    return this.#known.get(spiffeId);
  }

  /** Forgets a node that is gone. */
  forget(spiffeId: string): void {
    this.#known.delete(spiffeId);
    this.#issued.delete(spiffeId);
    this.#dirty.delete(spiffeId);
  }

  /** Writes what is new. @throws what the store throws; it is then written the next time */
  async flush(): Promise<void> {
    const names = [...this.#dirty];
    for (let i = 0; i < names.length; i += SOFT_STATES_MAX) {
      const batch = names.slice(i, i + SOFT_STATES_MAX);
      const states = batch.flatMap((name) => this.#known.get(name) ?? []);
      for (const name of batch) this.#dirty.delete(name);
      try {
        await this.#deps.soft.upsertNodes(states.map(stored));
      } catch (error) {
        for (const { spiffeId } of states) this.#dirty.add(spiffeId);
        throw error;
      }
    }
  }

  /** Flushes once a minute until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#deps;
    const failed = (error: unknown): void => {
      log({ level: "warn", event: "soft_state.not_written", error });
    };
    await every({ clock, ms: WRITE_MS, failed }, () => this.flush(), signal);
  }
}

function markOf({ serialText, notBefore, notAfter }: Seen): SvidMark {
  return { serialNumber: serialText, expiresAtMs: notAfter, beginsAtMs: notBefore };
}

function stored(known: KnownNode): NodeSoftState {
  const { beginsAtMs: _, ...state } = known;
  return state;
}
