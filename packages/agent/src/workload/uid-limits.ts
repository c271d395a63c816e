import { BonafideError } from "@bonafide/errors";
import { type Clock, type RateLimit, takeUnits, type TokenBucket } from "@bonafide/lifetime";
import { because } from "../cause-details.ts";
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

/** Buckets kept; beyond it the one unused for longest is forgotten, which only refills it. */
const BUCKETS_MAX = 4096;

/** Keeps one user from using up what is there for all. Root is bounded by the totals only. */
export class UidLimits {
  readonly #clock: Clock;
  readonly #options: Pick<Required<UidLimitsOptions>, "streamsPerUidMax" | "streamsMax">;
  readonly #rate: RateLimit;
  readonly #streams = new Map<number, number>();
  readonly #buckets = new Map<number, TokenBucket>();
  #all = 0;

  constructor(clock: Clock, options: UidLimitsOptions = {}) {
    this.#clock = clock;
    const { streamsPerUidMax = STREAMS_PER_UID_MAX, streamsMax = STREAMS_MAX } = options;
    this.#options = { streamsPerUidMax, streamsMax };
    this.#rate = {
      perSecond: options.attestationsASecond ?? ATTESTATIONS_PER_UID_A_SECOND,
      burst: options.attestationsBurst ?? ATTESTATIONS_PER_UID_BURST,
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
    const held = this.#buckets.get(uid);
    const taking = takeUnits(held, this.#rate, 1, this.#clock.monotonicMs());
    if (taking.kind === "taken") this.#keep(uid, taking.bucket);
    else {
      if (held !== undefined) this.#keep(uid, held);
      const { perSecond } = this.#rate;
      throw exceeded(`uid ${uid} calls more than ${perSecond} times a second`);
    }
  }

  #keep(uid: number, bucket: TokenBucket): void {
    this.#buckets.delete(uid);
    this.#buckets.set(uid, bucket);
    const oldest = this.#buckets.size > BUCKETS_MAX ? this.#buckets.keys().next() : undefined;
    if (oldest?.done === false) this.#buckets.delete(oldest.value);
  }
}

function exceeded(why: string): BonafideError {
  return new BonafideError(AGENT_ERRORS, "CALLER_LIMIT_EXCEEDED", why, {
    details: because("caller.too_many"),
    retryAfterMs: 1000,
  });
}
