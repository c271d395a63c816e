import { type Clock, type RateLimit, takeUnits, type TokenBucket } from "@bonafide/lifetime";
import { judgeShare } from "../core/fair-share.ts";
import { noUidOwners, type UidOwners } from "../core/subordinate-uids.ts";
import {
  ATTESTATIONS_A_SECOND,
  ATTESTATIONS_BURST,
  ATTESTATIONS_PER_UID_A_SECOND,
  ATTESTATIONS_PER_UID_BURST,
  STREAMS_MAX,
  STREAMS_PER_UID_MAX,
} from "../limits.ts";
import { type AskedKey, KeyShares, type KeySharesOptions } from "./key-shares.ts";
import { limitExceeded } from "./limit-exceeded.ts";

/** Options of {@link UidLimits}. */
export interface UidLimitsOptions extends KeySharesOptions {
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

/** Attestations of all users together. */
const ALL_RATE: RateLimit = { perSecond: ATTESTATIONS_A_SECOND, burst: ATTESTATIONS_BURST };

/**
 * Keeps one user from using up what is there for all. Root is bounded by the totals only; a user's subordinate uids count
 * as the user.
 */
export class UidLimits {
  readonly #clock: Clock;
  readonly #options: Pick<Required<UidLimitsOptions>, "streamsPerUidMax" | "streamsMax">;
  readonly #rate: RateLimit;
  readonly #streams = new Map<number, number>();
  readonly #buckets = new Map<number, TokenBucket>();
  readonly #owners: UidOwners;
  readonly #keys: KeyShares;
  #allBucket: TokenBucket | undefined;
  #all = 0;

  constructor(clock: Clock, options: UidLimitsOptions = {}, owners: UidOwners = noUidOwners) {
    this.#clock = clock;
    this.#owners = owners;
    this.#keys = new KeyShares(clock, options, owners);
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
    const owner = this.#owners.ownerOf(uid);
    const own = this.#streams.get(owner) ?? 0;
    const { streamsMax: max, streamsPerUidMax: ownMax } = this.#options;
    const refusal = judgeShare({ own, ownMax, all: this.#all, max, isRoot: owner === 0 });
    if (refusal === "none_left") throw limitExceeded("the agent serves as many streams as it can");
    if (refusal !== undefined) throw limitExceeded(`uid ${owner} has ${own} streams open`);
    this.#streams.set(owner, own + 1);
    this.#all++;
    let open = true;
    return () => {
      if (!open) return;
      open = false;
      this.#all--;
      const left = (this.#streams.get(owner) ?? 1) - 1;
      if (left === 0) this.#streams.delete(owner);
      else this.#streams.set(owner, left);
    };
  }

  /** Counts the keys that a stream asks for until the answer is called, once. @throws CALLER_LIMIT_EXCEEDED */
  holdKeys(uid: number, asked: readonly AskedKey[]): () => void {
    return this.#keys.hold(uid, asked);
  }

  /** Takes one token to be signed from the user's share. @throws CALLER_LIMIT_EXCEEDED */
  takeToken(uid: number): void {
    this.#keys.takeToken(uid);
  }

  /**
   * Takes one attestation from the user's share. When all users together ask for more than there is, those are refused who
   * have used up half of their burst: whoever asks now and then is served.
   *
   * @throws CALLER_LIMIT_EXCEEDED
   */
  takeAttestation(uid: number): void {
    const owner = this.#owners.ownerOf(uid);
    if (owner === 0) return;
    const held = this.#buckets.get(owner);
    const now = this.#clock.monotonicMs();
    const taking = takeUnits(held, this.#rate, 1, now);
    const ofAll = takeUnits(this.#allBucket, ALL_RATE, 1, now);
    const isGreedy = taking.kind === "taken" && taking.bucket.units < this.#rate.burst / 2;
    if (taking.kind === "taken" && (ofAll.kind === "taken" || !isGreedy)) {
      this.#keep(owner, taking.bucket);
      if (ofAll.kind === "taken") this.#allBucket = ofAll.bucket;
      return;
    }
    if (held !== undefined) this.#keep(owner, held);
    const { perSecond } = this.#rate;
    throw limitExceeded(
      taking.kind === "taken"
        ? "all users together call more often than the agent can answer"
        : `uid ${owner} calls more than ${perSecond} times a second`,
    );
  }

  #keep(uid: number, bucket: TokenBucket): void {
    this.#buckets.delete(uid);
    this.#buckets.set(uid, bucket);
    const oldest = this.#buckets.size > BUCKETS_MAX ? this.#buckets.keys().next() : undefined;
    if (oldest?.done === false) this.#buckets.delete(oldest.value);
  }
}
