/**
 * What a selector is worth against a hostile neighbour: `boundary` holds against other code of the same uid, `user`
 * against other uids, `label` only keeps honest programs apart (docs/attestation.md).
 */
export type Grade = "boundary" | "user" | "label";

/** One selector of a caller, with its worth. */
export interface ObservedSelector {
  /** The attestor's name, e.g. `unix`. */
  readonly type: string;
  /** Kind and value, e.g. `uid:1000`. */
  readonly value: string;
  readonly grade: Grade;
  /** What it was read from, e.g. `SO_PEERCRED` or `/proc/PID/exe`; for people. */
  readonly source: string;
}

/** Why a fact gave no selector; each code has a page. The closed table of `why`. */
export type OmissionReason =
  | "attestor.not_readable"
  | "attestor.selector_disabled"
  | "attestor.binary_replaced"
  | "attestor.foreign_namespace"
  | "attestor.name_unresolved"
  | "attestor.too_large"
  | "attestor.timed_out"
  | "attestor.not_locked"
  | "attestor.caller_is_root"
  | "attestor.not_wanted"
  | "attestor.unsupported"
  | "attestor.failed";

/** A fact of procfs, or the system's error code that stood in the way. */
export type ProcFact<T> =
  | { readonly kind: "read"; readonly value: T }
  | { readonly kind: "unreadable"; readonly errno: string };

/** Kinds of namespace that are looked at. */
export type NamespaceKind = "user" | "pid" | "mnt";

/** What procfs says of a caller, read together and checked to be the same after the last attestor. */
export interface CallerFacts {
  readonly sessionId: ProcFact<number>;
  /** Clock ticks from boot to its start. */
  readonly startTicks: ProcFact<bigint>;
  /** Target of the `exe` link, raw bytes as latin1. */
  readonly executableLink: ProcFact<string>;
  /** Path of its cgroup v2 (the `0::` line), raw bytes as latin1. */
  readonly cgroupPath: ProcFact<string>;
  /** Link texts such as `mnt:[4026531841]`. */
  readonly namespaces: Readonly<Record<NamespaceKind, ProcFact<string>>>;
}

/** A fact that was looked for and gave no selector. */
export interface OmittedFact {
  /** Type and kind of the selectors that are missing, e.g. `unix:path`. */
  readonly fact: string;
  readonly reason: OmissionReason;
  /** A sentence for people; holds nothing of another process. */
  readonly text: string;
}

/** What one attestor found. */
export interface WorkloadFacts {
  readonly selectors: readonly ObservedSelector[];
  readonly omitted: readonly OmittedFact[];
}

/**
 * The process to be attested, pinned while `attest` runs: what is read through {@link WorkloadCaller.procPath} is of
 * this process, or fails. Everything is checked again after the last attestor; facts of a process that changed in
 * between are thrown away.
 */
export interface WorkloadCaller {
  /** In the agent's pid namespace. */
  readonly pid: number;
  /** Effective ids at connect, from the kernel, equal to those of the process now. */
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups at connect, ascending. */
  readonly groups: readonly number[];
  /** Unique name of the process since boot; undefined before Linux 6.9. */
  readonly pidfdInode: bigint | undefined;
  readonly facts: CallerFacts;
  /** Id of its cgroup v2, from the kernel; undefined before Linux 6.13. */
  readonly cgroupId: bigint | undefined;
  /** Path of a file of its procfs directory; undefined where procfs is closed to the agent. */
  procPath(name: string): string | undefined;
}

/**
 * Finds facts about a calling process.
 *
 * Contract: safe for concurrent calls; honours `signal` within 1 s; holds nothing of the caller after it resolved;
 * emits only selectors of its own type, each once, at most 256; a fact it cannot read is an omission with its reason
 * and never a failure of the others. A rejection counts as one omission of everything this attestor knows.
 *
 * @stability experimental
 */
export interface WorkloadAttestor {
  /** Type of its selectors: lower case letters, digits, `_`. */
  readonly name: string;
  attest(caller: WorkloadCaller, options: { readonly signal: AbortSignal }): Promise<WorkloadFacts>;
}
