import { BonafideError } from "@bonafide/errors";
import type { Clock } from "@bonafide/lifetime";
import { AGENT_ERRORS } from "../errors.ts";
import {
  ATTESTATIONS_PER_UID_A_SECOND,
  ATTESTATIONS_PER_UID_BURST,
  STREAMS_MAX,
  STREAMS_PER_UID_MAX,
} from "../limits.ts";

/** Options of {@link UidLimits}. */
export interface UidLimitsOptions {
  /** Streams of one uid, default 1024. */
  readonly streamsPerUidMax?: number;
  /** Streams of all, default 16384. */
  readonly streamsMax?: number;
  /** Attestations of one uid a second, default 200. */
  readonly attestationsASecond?: number;
  /** Attestations of one uid in a burst, default 1000. */
  readonly attestationsBurst?: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

/** Buckets that are kept for uids that went away; beyond it full ones are dropped. */
const BUCKETS_KEPT_MAX = 4096;

/** Keeps one user from using up what is there for all. Root is bounded by the totals only. */
export class UidLimits {
  readonly #clock: Clock;
  readonly #options: Required<UidLimitsOptions>;
  readonly #streams = new Map<number, number>();
  readonly #buckets = new Map<number, Bucket>();
  #all = 0;

  constructor(clock: Clock, options: UidLimitsOptions = {}) {
    this.#clock = clock;
    this.#options = {
      streamsPerUidMax: STREAMS_PER_UID_MAX,
      streamsMax: STREAMS_MAX,
      attestationsASecond: ATTESTATIONS_PER_UID_A_SECOND,
      attestationsBurst: ATTESTATIONS_PER_UID_BURST,
      ...options,
    };
  }

  /** Streams that are open now. */
  get streams(): number {
    return this.#all;
  }

  /**
   * Counts a stream until the answer is called, once.
   *
   * @throws CALLER_LIMIT_EXCEEDED
   */
  openStream(uid: number): () => void {
    const own = this.#streams.get(uid) ?? 0;
    const { streamsMax, streamsPerUidMax } = this.#options;
    if (this.#all >= streamsMax) throw exceeded("the agent serves as many streams as it can");
    if (uid !== 0 && own >= streamsPerUidMax) {
      throw exceeded(`uid ${uid} has ${own} streams open`);
    }
    this.#streams.set(uid, own + 1);
    this.#all++;
    let open = true;
    return () => {
      if (!open) return;
      open = false;
      this.#all--;
      const left = (this.#streams.get(uid) ?? 1) - 1;
      if (left === 0) this.#streams.delete(uid);
      else this.#streams.set(uid, left);
    };
  }

  /** Takes one attestation from the uid's share. @throws CALLER_LIMIT_EXCEEDED */
  takeAttestation(uid: number): void {
    if (uid === 0) return;
    const { attestationsASecond: rate, attestationsBurst: burst } = this.#options;
    const atMs = this.#clock.monotonicMs();
    const before = this.#buckets.get(uid) ?? { tokens: burst, atMs };
    const tokens = Math.min(burst, before.tokens + ((atMs - before.atMs) / 1000) * rate);
    if (tokens < 1) {
      this.#buckets.set(uid, { tokens, atMs });
      throw exceeded(`uid ${uid} calls more than ${rate} times a second`);
    }
    this.#buckets.set(uid, { tokens: tokens - 1, atMs });
    if (this.#buckets.size > BUCKETS_KEPT_MAX) this.#dropFull(atMs);
  }

  #dropFull(now: number): void {
    const { attestationsASecond: rate, attestationsBurst: burst } = this.#options;
    for (const [uid, { tokens, atMs }] of this.#buckets) {
      if (tokens + ((now - atMs) / 1000) * rate >= burst) this.#buckets.delete(uid);
    }
  }
}

function exceeded(why: string): BonafideError {
  return new BonafideError(AGENT_ERRORS, "CALLER_LIMIT_EXCEEDED", why, {
    details: { cause: "caller.too_many" },
    retryAfterMs: 1000,
  });
}
