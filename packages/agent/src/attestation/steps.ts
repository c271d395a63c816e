import { BonafideError } from "@bonafide/errors";
import type { CallerFacts, ObservedSelector, OmittedFact } from "@bonafide/plugin-api";
import type { ProcessDirectory, UnixPeer } from "@bonafide/unix-peer";
import { because } from "../cause-details.ts";
import { readCallerFacts, sameCallerFacts } from "./caller-facts.ts";
import { asLabels, sealSelectors } from "./core/selectors.ts";
import { ATTESTATION_ERRORS } from "./errors.ts";
import type { Observation } from "./observation.ts";

/** One attestation on its way; each step fills in what later ones need. */
export interface Attempt {
  readonly peer: UnixPeer;
  readonly runAttestors: (attempt: Attempt) => Promise<void>;
  /** Undefined where procfs is closed to the agent. */
  directory?: ProcessDirectory;
  facts?: CallerFacts;
  cgroupId?: bigint | undefined;
  readonly selectors: ObservedSelector[];
  readonly omitted: OmittedFact[];
  observation?: Observation;
}

/** Name of a step, and of its crash point. */
export type AttestationStep =
  | "peer-alive"
  | "open-directory"
  | "ids-agree"
  | "read-facts"
  | "run-attestors"
  | "facts-unchanged"
  | "ids-still-agree"
  | "peer-still-alive"
  | "seal";

/** One step of an attestation. */
export interface Step {
  readonly name: AttestationStep;
  /** What holds once it is done; the docs page prints it. */
  readonly holds: string;
  run(attempt: Attempt): Promise<void> | void;
}

/**
 * How a caller is looked at, in order. Each step is a point where a test may kill the agent or make it fail: the runner
 * walks this table, so a step without such a point cannot be.
 */
export const ATTESTATION_STEPS: readonly Step[] = [
  {
    name: "peer-alive",
    holds: "the process that connected still runs",
    run: ({ peer }) => {
      peer.assertAlive();
    },
  },
  {
    name: "open-directory",
    holds: "its procfs directory is opened once and shown to be its own",
    run: (attempt) => {
      try {
        attempt.directory = attempt.peer.openDirectory();
      } catch (error) {
        // Alive and closed to us (hidepid): the facts of the socket remain, the others are omitted.
        if (error instanceof BonafideError) throw error;
      }
    },
  },
  {
    name: "ids-agree",
    holds: "it has the ids it connected with",
    run: ({ peer, directory }) => {
      peer.assertSameIds(directory);
    },
  },
  {
    name: "read-facts",
    holds: "its facts are read through that one directory",
    run: (attempt) => {
      attempt.facts = readCallerFacts(attempt.directory);
      attempt.cgroupId = attempt.peer.facts()?.cgroupId;
    },
  },
  {
    name: "run-attestors",
    holds: "each attestor turns facts into graded selectors, or says why not",
    run: (attempt) => attempt.runAttestors(attempt),
  },
  {
    name: "facts-unchanged",
    holds: "the facts are still the same",
    run: ({ directory, facts, peer, cgroupId }) => {
      const unchanged =
        facts !== undefined &&
        sameCallerFacts(facts, readCallerFacts(directory)) &&
        peer.facts()?.cgroupId === cgroupId;
      if (unchanged) return;
      peer.assertAlive();
      throw new BonafideError(
        ATTESTATION_ERRORS,
        "ATTESTATION_UNSTABLE",
        "the calling process changed while it was looked at",
        { details: because("caller.facts_changed") },
      );
    },
  },
  {
    name: "ids-still-agree",
    holds: "the ids are still the same",
    run: ({ peer, directory }) => {
      peer.assertSameIds(directory);
    },
  },
  {
    name: "peer-still-alive",
    holds: "the process still runs, so that nothing read was of a later one",
    run: ({ peer }) => {
      peer.assertAlive();
    },
  },
  {
    name: "seal",
    holds: "selectors are sorted; without a pin none counts for more than a label",
    run: (attempt) => {
      const { peer, facts } = attempt;
      const sealed = sealSelectors(attempt.selectors);
      const executable = facts?.executableLink;
      attempt.observation = {
        selectors: peer.pin === "unpinned" ? asLabels(sealed) : sealed,
        omitted: attempt.omitted,
        pid: peer.pid,
        uid: peer.uid,
        gid: peer.gid,
        groups: peer.groups,
        pin: peer.pin,
        executable: executable?.kind === "read" ? executable.value : undefined,
        pidfdInode: peer.pidfdInode,
      };
    },
  },
];
