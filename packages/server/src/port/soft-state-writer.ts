import { type Clock, every } from "@bonafide/lifetime";
import type { NodeSoftState, SoftStateStore } from "@bonafide/plugin-api";
import { SOFT_STATES_MAX } from "@bonafide/plugin-api";
import type { ServerLog } from "../server-log.ts";

/** What {@link SoftStateWriter} works with. */
export interface SoftStateDeps {
  readonly soft: SoftStateStore;
  readonly clock: Clock;
  readonly log: ServerLog;
}

/** What was seen of a node; fields that are left out keep their value. */
export type Sighting = { readonly spiffeId: string } & Partial<
  Pick<NodeSoftState, "serialNumber" | "expiresAtMs" | "agentVersion">
>;

/** A node is written at most once in this time, ms. */
const WRITE_MS = 60_000;

/**
 * Keeps what is known of nodes without a leaf, and writes it in batches, at most once a minute. Losing it does no harm;
 * a store that refuses writes only makes it later.
 */
export class SoftStateWriter {
  readonly #deps: SoftStateDeps;
  readonly #known = new Map<string, NodeSoftState>();
  readonly #dirty = new Set<string>();

  constructor(deps: SoftStateDeps) {
    this.#deps = deps;
  }

  /** Takes over what the store has. A store that cannot be read leaves it empty. */
  async load(): Promise<void> {
    for (let after = ""; ;) {
      const page = await this.#deps.soft.nodesAfter(after, SOFT_STATES_MAX);
      for (const state of page) this.#known.set(state.spiffeId, state);
      const last = page.at(-1);
      if (last === undefined || page.length < SOFT_STATES_MAX) return;
      after = last.spiffeId;
    }
  }

  /** Notes that a node was seen now. */
  saw(sighting: Sighting): void {
    const { spiffeId } = sighting;
    const before = this.#known.get(spiffeId);
    this.#known.set(spiffeId, {
      spiffeId,
      lastSeenAtMs: this.#deps.clock.now(),
      serialNumber: sighting.serialNumber ?? before?.serialNumber ?? "",
      expiresAtMs: sighting.expiresAtMs ?? before?.expiresAtMs ?? 0,
      agentVersion: sighting.agentVersion ?? before?.agentVersion ?? "",
    });
    this.#dirty.add(spiffeId);
  }

  /** The newest that is known of a node, also what is not written yet. */
  of(spiffeId: string): NodeSoftState | undefined {
    return this.#known.get(spiffeId);
  }

  /** Forgets a node that is gone. */
  forget(spiffeId: string): void {
    this.#known.delete(spiffeId);
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
        await this.#deps.soft.upsertNodes(states);
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
