import { type Clock, type RateLimit, takeUnits, type TokenBucket } from "@bonafide/lifetime";
import { judgeShare } from "../core/fair-share.ts";
import type { UidOwners } from "../core/subordinate-uids.ts";
import {
  KEYS_HELD_MAX,
  KEYS_PER_UID_A_SECOND,
  KEYS_PER_UID_BURST,
  KEYS_PER_UID_MAX,
} from "../limits.ts";
import { limitExceeded } from "./limit-exceeded.ts";

/** Options of {@link KeyShares}. */
export interface KeySharesOptions {
  /** Keys held because callers of one user ask for them, default 2000. */
  readonly keysPerUidMax?: number;
  /** The same of all users, default 20000. */
  readonly keysHeldMax?: number;
  /** Keys made and tokens signed for one user a second, default 50. */
  readonly keysASecond?: number;
  /** The same in a burst, default 2000. */
  readonly keysBurst?: number;
}

/** An SVID that a caller asks for. */
export interface AskedKey {
  readonly entryId: string;
  /** Whether one has to be made for it. */
  readonly isMissing: boolean;
}

/**
 * Keeps one user from having the agent make and hold keys without bound: each new set of facts may fit other entries, and
 * a stream that is opened and closed again would have keys made and forgotten all the time. Rotation is not counted, it
 * comes by the lifetime that operators chose.
 */
export class KeyShares {
  readonly #clock: Clock;
  readonly #owners: UidOwners;
  readonly #perUidMax: number;
  readonly #heldMax: number;
  readonly #rate: RateLimit;
  /** Of each owner, how many streams ask for an entry, by its id. */
  readonly #held = new Map<number, Map<string, number>>();
  readonly #buckets = new Map<number, TokenBucket>();
  #all = 0;

  constructor(clock: Clock, options: KeySharesOptions, owners: UidOwners) {
    this.#clock = clock;
    this.#owners = owners;
    this.#perUidMax = options.keysPerUidMax ?? KEYS_PER_UID_MAX;
    this.#heldMax = options.keysHeldMax ?? KEYS_HELD_MAX;
    this.#rate = {
      perSecond: options.keysASecond ?? KEYS_PER_UID_A_SECOND,
      burst: options.keysBurst ?? KEYS_PER_UID_BURST,
    };
  }

  /** Keys that users hold now; one that two users hold counts twice. */
  get held(): number {
    return this.#all;
  }

  /**
   * Counts what a stream asks for until the answer is called, once. All or nothing.
   *
   * @throws CALLER_LIMIT_EXCEEDED
   */
  hold(uid: number, asked: readonly AskedKey[]): () => void {
    const owner = this.#owners.ownerOf(uid);
    const held = this.#held.get(owner) ?? new Map<string, number>();
    const fresh = asked.filter(({ entryId }) => !held.has(entryId));
    this.#admit(owner, held.size, fresh);
    if (asked.length > 0) this.#held.set(owner, held);
    this.#all += fresh.length;
    for (const { entryId } of asked) held.set(entryId, (held.get(entryId) ?? 0) + 1);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      for (const { entryId } of asked) this.#release(owner, held, entryId);
    };
  }

  /**
   * Takes one token that the server is asked to sign from the user's rate: it costs the server what a key does.
   *
   * @throws CALLER_LIMIT_EXCEEDED
   */
  takeToken(uid: number): void {
    this.#take(this.#owners.ownerOf(uid), 1);
  }

  #admit(owner: number, own: number, fresh: readonly AskedKey[]): void {
    const isRoot = owner === 0;
    for (const [i] of fresh.entries()) {
      const refusal = judgeShare({
        own: own + i,
        ownMax: this.#perUidMax,
        all: this.#all + i,
        max: this.#heldMax,
        isRoot,
      });
      if (refusal !== undefined) {
        throw limitExceeded(`uid ${owner} has the agent hold ${own} keys`);
      }
    }
    this.#take(owner, fresh.filter(({ isMissing }) => isMissing).length);
  }

  #take(owner: number, count: number): void {
    if (owner === 0 || count === 0) return;
    const now = this.#clock.monotonicMs();
    // More than a burst is nobody's share at once, and never would be: what fits in one is asked of it.
    const units = Math.min(count, this.#rate.burst);
    const taking = takeUnits(this.#buckets.get(owner), this.#rate, units, now);
    if (taking.kind !== "taken") {
      const { perSecond } = this.#rate;
      throw limitExceeded(`uid ${owner} has more than ${perSecond} keys and tokens a second made`);
    }
    this.#buckets.delete(owner);
    this.#buckets.set(owner, taking.bucket);
    this.#forgetFull(now);
  }

  #release(owner: number, held: Map<string, number>, entryId: string): void {
    const left = (held.get(entryId) ?? 1) - 1;
    if (left > 0) {
      held.set(entryId, left);
      return;
    }
    held.delete(entryId);
    this.#all--;
    if (held.size === 0) this.#held.delete(owner);
  }

  /** A bucket that is full again is as good as none: those used longest ago go first. */
  #forgetFull(now: number): void {
    const { burst, perSecond } = this.#rate;
    const fullAfterMs = (burst * 1000) / perSecond;
    for (const [owner, { atMs }] of this.#buckets) {
      if (now - atMs < fullAfterMs) return;
      this.#buckets.delete(owner);
    }
  }
}
