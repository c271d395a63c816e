import type { ObservedSelector, OmittedFact } from "@bonafide/plugin-api";
import type { PeerPin } from "@bonafide/unix-peer";

/** Everything the agent saw of one caller at one moment. Immutable. */
export interface Observation {
  /** Sorted by type and value, no doubles. */
  readonly selectors: readonly ObservedSelector[];
  readonly omitted: readonly OmittedFact[];
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  /** How surely the facts are those of the process that connected. */
  readonly pin: PeerPin;
  /** Path of the executable as the kernel names it, for people only; undefined where it cannot be read. */
  readonly executable: string | undefined;
  /** Unique name of the process since boot; undefined before Linux 6.9. */
  readonly pidfdInode: bigint | undefined;
}

/** One difference between two observations of the same caller. */
export interface ObservationChange {
  /** `appeared` or `vanished`: a selector. */
  readonly kind: "appeared" | "vanished";
  readonly type: string;
  readonly value: string;
}
