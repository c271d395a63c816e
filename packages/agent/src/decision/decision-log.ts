import { randomBytes } from "node:crypto";
import type { EpochMs } from "@bonafide/lifetime";
import type { Observation } from "../attestation/observation.ts";
import { noUidOwners, type UidOwners } from "../core/subordinate-uids.ts";
import type { CallerFact } from "../core/why/facts.ts";
import { DECISIONS_MAX } from "../limits.ts";

/** A caller of whom no more than this may be known. */
export type CallingProcess = Pick<Observation, "pid" | "uid" | "gid" | "pin">;

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
  /** Absent when the caller was not, or could not be, looked at. */
  readonly observation: Observation | undefined;
  /** Who called, as far as the kernel told; absent when it did not. */
  readonly peer?: CallingProcess;
  /** What was served. */
  readonly spiffeIds: readonly string[];
  /** Why the server signed nothing, where that was the reason. */
  readonly signingFailure?: string;
}

/**
 * The newest decisions of an agent, bounded; in memory only. When there are too many, the user with the most of them
 * loses its oldest: one who is refused a thousand times a minute takes nobody else's from the operator.
 */
export class DecisionLog {
  readonly #max: number;
  readonly #owners: UidOwners;
  /** Oldest first. */
  readonly #byId = new Map<string, Decision>();
  readonly #ofUid = new Map<number, number>();

  /** @param max  How many are remembered, default 2000. @param owners  Whose each uid is, default its own. */
  constructor(max: number = DECISIONS_MAX, owners: UidOwners = noUidOwners) {
    this.#max = max;
    this.#owners = owners;
  }

  /** A fresh id, for a refusal that is told before it is recorded. */
  newId(): string {
    return `d-${randomBytes(9).toString("base64url")}`;
  }

  /** Remembers a decision, forgetting another if there are too many. */
  record(decision: Decision): void {
    const uid = this.#owners.ownerOf(uidOf(decision));
    this.#byId.set(decision.id, decision);
    this.#ofUid.set(uid, (this.#ofUid.get(uid) ?? 0) + 1);
    if (this.#byId.size > this.#max) this.#forgetOne();
  }

  find(id: string): Decision | undefined {
    return this.#byId.get(id);
  }

  /** Newest first. */
  list(which: (decision: Decision) => boolean, limit: number): readonly Decision[] {
    const all = [...this.#byId.values()].filter((decision) => which(decision));
    return all.toReversed().slice(0, limit);
  }

  #forgetOne(): void {
    let most: number | undefined;
    for (const [uid, count] of this.#ofUid) {
      if (most === undefined || count > (this.#ofUid.get(most) ?? 0)) most = uid;
    }
    for (const [id, decision] of this.#byId) {
      const uid = this.#owners.ownerOf(uidOf(decision));
      if (uid !== most) continue;
      this.#byId.delete(id);
      const left = (this.#ofUid.get(uid) ?? 1) - 1;
      if (left === 0) this.#ofUid.delete(uid);
      else this.#ofUid.set(uid, left);
      return;
    }
  }
}

/** -1 for callers that the kernel could not tell apart. */
function uidOf({ observation, peer }: Decision): number {
  return observation?.uid ?? peer?.uid ?? -1;
}
