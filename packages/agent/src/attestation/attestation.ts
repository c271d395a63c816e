import { BonafideError, isBonafideError } from "@bonafide/errors";
import type { Clock } from "@bonafide/lifetime";
import type { WorkloadAttestor } from "@bonafide/plugin-api";
import type { UnixPeer } from "@bonafide/unix-peer";
import { because } from "../cause-details.ts";
import { compareObservations, mergeObservations } from "./core/selectors.ts";
import { ATTESTATION_ERRORS } from "./errors.ts";
import { InternedObservations } from "./interned.ts";
import {
  ATTESTORS_MS_MAX,
  OBSERVATION_TRIES_MAX,
  OBSERVATIONS_PER_UID_MAX,
  REOBSERVATIONS_WAITING_PER_UID_MAX,
} from "./limits.ts";
import type { Observation, ObservationChange } from "./observation.ts";
import { attestorsRunner } from "./run-attestors.ts";
import { ATTESTATION_STEPS, type AttestationStep, type Attempt } from "./steps.ts";
import { UidTurns } from "./uid-turns.ts";

/** Answer of {@link Attestation.reobserve}. */
export type Reobservation =
  | {
      readonly kind: "same";
      /** What is seen now; facts may be omitted that were seen before. */
      readonly observation: Observation;
      /** All that was ever seen, to be compared with next time. */
      readonly known: Observation;
    }
  | {
      readonly kind: "changed";
      readonly observation: Observation;
      readonly changes: readonly ObservationChange[];
    };

/** Options of one look. */
export interface ObserveOptions {
  readonly signal?: AbortSignal;
}

/** Looks at callers. Safe for concurrent calls. */
export interface Attestation {
  /**
   * Looks at a caller now: at every call, and for `why` at any process.
   *
   * @throws PEER_GONE, PEER_IDS_CHANGED, PEER_NOT_PINNED  see `UnixPeer`
   * @throws ATTESTATION_UNSTABLE  its facts changed each of the three times they were read
   * @throws ATTESTATION_BUSY      too many observations of this uid are running
   */
  observe(peer: UnixPeer, options?: ObserveOptions): Promise<Observation>;
  /**
   * Looks again before a push on a long stream. `changed` must end the stream.
   *
   * Waits for its turn where a new call would be refused, since a push comes to all streams of a user at once. Those
   * of one process, which connected with the same ids, share a look that has not begun yet.
   *
   * @param known  The first observation, and from then on what the last look answered as `known`.
   * @throws as {@link Attestation.observe}; every failure must end the stream
   */
  reobserve(peer: UnixPeer, known: Observation, options?: ObserveOptions): Promise<Reobservation>;
}

/** Dependencies of {@link createAttestation}. */
export interface AttestationDeps {
  readonly clock: Clock;
  /** Run side by side; names differ. */
  readonly attestors: readonly WorkloadAttestor[];
}

/** Options of {@link createAttestation}. */
export interface AttestationOptions {
  /** Time the attestors have together, ms, default 2000; what is late is omitted. */
  readonly attestorsMsMax?: number;
  /** Observations of one uid at a time, default 64; of new calls and of calls that are looked at again, each. */
  readonly observationsPerUidMax?: number;
  /** Called before each step: a test kills the process here, or throws. Default: nothing. */
  readonly beforeStep?: (step: AttestationStep) => void;
}

/** Attests callers by {@link ATTESTATION_STEPS}. */
export function createAttestation(
  deps: AttestationDeps,
  options: AttestationOptions = {},
): Attestation {
  const { attestorsMsMax = ATTESTORS_MS_MAX, beforeStep = () => {} } = options;
  const { observationsPerUidMax = OBSERVATIONS_PER_UID_MAX } = options;
  const running = new Map<number, number>();
  const interned = new InternedObservations();

  const attempt = async (peer: UnixPeer, signal: AbortSignal | undefined): Promise<Observation> => {
    const work: Attempt = {
      peer,
      runAttestors: attestorsRunner(deps, { msMax: attestorsMsMax, signal }),
      selectors: [],
      omitted: [],
    };
    try {
      for (const step of ATTESTATION_STEPS) {
        signal?.throwIfAborted();
        beforeStep(step.name);
        await step.run(work);
      }
    } finally {
      work.directory?.[Symbol.dispose]();
    }
    if (work.observation === undefined) throw new Error("the last step seals an observation");
    return interned.intern(work.observation);
  };

  const attempts = async (
    peer: UnixPeer,
    signal: AbortSignal | undefined,
  ): Promise<Observation> => {
    for (let tries = 1; ; tries++) {
      try {
        return await attempt(peer, signal);
      } catch (error) {
        if (tries >= OBSERVATION_TRIES_MAX) throw error;
        if (!isBonafideError(error, "ATTESTATION_UNSTABLE")) throw error;
      }
    }
  };

  const observe = async (peer: UnixPeer, { signal }: ObserveOptions = {}): Promise<Observation> => {
    const ofUid = running.get(peer.uid) ?? 0;
    if (ofUid >= observationsPerUidMax) {
      throw busy();
    }
    running.set(peer.uid, ofUid + 1);
    try {
      return await attempts(peer, signal);
    } finally {
      const left = (running.get(peer.uid) ?? 1) - 1;
      if (left === 0) running.delete(peer.uid);
      else running.set(peer.uid, left);
    }
  };

  const turns = new UidTurns({
    atATimeMax: observationsPerUidMax,
    waitingMax: REOBSERVATIONS_WAITING_PER_UID_MAX,
  });
  const awaited = new Map<UnixPeer | string, Look>();

  /** Without a signal: it may be others' too, and is bounded in time. */
  const observeInTurn = (peer: UnixPeer, by: UnixPeer | string = nameOf(peer)): Look => {
    const shared = awaited.get(by);
    if (shared !== undefined) return shared;
    const result = turns.take(peer.uid, () => {
      // From here on it is too old for who comes now.
      awaited.delete(by);
      return attempts(peer, undefined);
    });
    if (result === undefined) throw busy();
    const own: Look = { peer, result };
    awaited.set(by, own);
    return own;
  };

  const observeAgain = async (
    peer: UnixPeer,
    signal: AbortSignal | undefined,
  ): Promise<Observation> => {
    const look = observeInTurn(peer);
    try {
      return await unlessAborted(look.result, signal);
    } catch (error) {
      // The connection it went through was closed meanwhile, and the process lives: that is no answer for this one.
      if (look.peer === peer || !isBonafideError(error, "PEER_GONE") || !peer.alive()) throw error;
      return await unlessAborted(observeInTurn(peer, peer).result, signal);
    }
  };

  return {
    observe,
    async reobserve(peer, known, { signal } = {}) {
      const observation = await observeAgain(peer, signal);
      if (observation === known) return { kind: "same", observation, known };
      const changes = compareObservations(known, observation);
      return changes.length === 0
        ? { kind: "same", observation, known: mergeObservations(known, observation) }
        : { kind: "changed", observation, changes };
    },
  };
}

/** A look that may be several streams'. */
interface Look {
  /** Through whose connection. */
  readonly peer: UnixPeer;
  readonly result: Promise<Observation>;
}

/** What all connections of one process share that it opened with the same ids; the connection where that is unknown. */
function nameOf(peer: UnixPeer): UnixPeer | string {
  const { pidfdInode, pid, uid, gid, groups, pin, securityLabel } = peer;
  if (pidfdInode === undefined || pin !== "pidfd") return peer;
  return JSON.stringify([String(pidfdInode), pid, uid, gid, groups, securityLabel ?? null]);
}

function busy(): BonafideError {
  return new BonafideError(
    ATTESTATION_ERRORS,
    "ATTESTATION_BUSY",
    "too many calls of this user are being looked at",
    { details: because("caller.too_many") },
  );
}

/** @throws the signal's reason, at once */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => {
    aborted.reject(signal?.reason);
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}
