import { randomBytes } from "node:crypto";
import type { EpochMs } from "@bonafide/lifetime";
import type { Observation } from "../attestation/observation.ts";
import type { CallerFact } from "../core/why/facts.ts";
import { DECISIONS_MAX } from "../limits.ts";

/** One decision about one call, with what it was taken from. */
export interface Decision {
  /** Opaque, hard to guess; what a refused workload hands to its operator. */
  readonly id: string;
  readonly at: EpochMs;
  /** Full name of the method, such as `SpiffeWorkloadAPI/FetchX509SVID`. */
  readonly method: string;
  readonly outcome: "served" | "refused";
  /** How the caller was seen. */
  readonly caller: CallerFact;
  /** Absent when the caller could not be looked at. */
  readonly observation: Observation | undefined;
  /** What was served. */
  readonly spiffeIds: readonly string[];
  /** Why the server signed nothing, where that was the reason. */
  readonly signingFailure?: string;
}

/** The newest decisions of an agent, bounded; in memory only. */
export class DecisionLog {
  readonly #max: number;
  readonly #byId = new Map<string, Decision>();

  /** @param max  How many are remembered, default 2000. */
  constructor(max: number = DECISIONS_MAX) {
    this.#max = max;
  }

  /** A fresh id, for a refusal that is told before it is recorded. */
  newId(): string {
    return `d-${randomBytes(9).toString("base64url")}`;
  }

  /** Remembers a decision, forgetting the oldest one if there are too many. */
  record(decision: Decision): void {
    this.#byId.set(decision.id, decision);
    if (this.#byId.size <= this.#max) return;
    for (const oldest of this.#byId.keys()) {
      this.#byId.delete(oldest);
      return;
    }
  }

  find(id: string): Decision | undefined {
    return this.#byId.get(id);
  }

  /** Newest first. */
  list(which: (decision: Decision) => boolean, limit: number): readonly Decision[] {
    const all = [...this.#byId.values()].filter((decision) => which(decision));
    return all.toReversed().slice(0, limit);
  }
}
