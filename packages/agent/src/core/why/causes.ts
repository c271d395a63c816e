import type { PeerCause } from "@bonafide/unix-peer";

/** What one cause of a refusal is. */
export interface CauseSpec {
  /** Its step of the ladder; the lowest broken one is the first cause. */
  readonly rung: number;
  /** One line for the documentation. */
  readonly summary: string;
}

/** The steps from a workload's call to its identity in use, lowest first. */
export const RUNGS = [
  "the socket is reached",
  "the protocol is spoken",
  "the caller is seen",
  "the attestors worked",
  "the agent is in good standing",
  "the agent's picture is fresh",
  "an entry exists and reaches this node",
  "the entry fits the caller",
  "the identity is signed",
] as const;

/** The closed table of causes that `why` names. Codes are API; `docs/why.md` has a section for each. */
export const CAUSES = {
  "socket.missing": { rung: 1, summary: "nothing listens at the Workload API's socket path" },
  "socket.not_permitted": { rung: 1, summary: "the caller may not reach the socket's path" },
  "protocol.header_missing": {
    rung: 2,
    summary: "the call lacks the header workload.spiffe.io: true",
  },
  "caller.outside_pid_namespace": {
    rung: 3,
    summary: "the caller's process cannot be seen from the agent's PID namespace",
  },
  "caller.id_unmapped": {
    rung: 3,
    summary: "the caller's user is not mapped into the agent's user namespace",
  },
  "caller.ids_changed": {
    rung: 3,
    summary: "the process changed its user after it had connected",
  },
  "caller.gone": { rung: 3, summary: "the process ended before it could be looked at" },
  "caller.not_pinned": {
    rung: 3,
    summary: "the kernel cannot tie the connection to one process, and that is required",
  },
  "caller.ids_unreadable": {
    rung: 3,
    summary:
      "neither the kernel nor procfs tells the caller's ids again, so they cannot be checked",
  },
  "caller.facts_changed": {
    rung: 3,
    summary: "the caller's facts changed while it was looked at or while its stream was open",
  },
  "caller.too_many": { rung: 3, summary: "the caller's user has too much open or asks too often" },
  "attestor.not_readable": { rung: 4, summary: "a fact that an entry wants cannot be read here" },
  "attestor.selector_disabled": {
    rung: 4,
    summary: "a fact that an entry wants is switched off or not offered by this agent",
  },
  "attestor.binary_replaced": {
    rung: 4,
    summary: "the program's file was replaced while it was running",
  },
  "attestor.foreign_namespace": {
    rung: 4,
    summary: "the caller is in namespaces of its own, where this fact could be forged",
  },
  "attestor.name_unresolved": {
    rung: 4,
    summary: "a number could not be turned into a name in time",
  },
  "attestor.too_large": { rung: 4, summary: "a fact is larger than the agent reads" },
  "attestor.timed_out": { rung: 4, summary: "a fact was not there in time" },
  "attestor.not_locked": {
    rung: 4,
    summary: "the caller could have chosen this fact itself",
  },
  "attestor.caller_is_root": { rung: 4, summary: "root could have chosen this fact itself" },
  "attestor.not_wanted": { rung: 4, summary: "a fact is left out because nobody could rely on it" },
  "attestor.unsupported": { rung: 4, summary: "the kernel or the system does not offer this fact" },
  "attestor.failed": { rung: 4, summary: "an attestor failed" },
  "agent.not_attested": { rung: 5, summary: "the agent has not joined a server yet" },
  "agent.token_used": { rung: 5, summary: "the join token had been spent before" },
  "agent.token_refused": {
    rung: 5,
    summary: "the server refused the join token without saying why: expired, used or unknown",
  },
  "agent.bundle_mismatch": {
    rung: 5,
    summary: "the server's authority is not in the bundle that the agent was given",
  },
  "agent.trust_domain_mismatch": {
    rung: 5,
    summary: "the server is of another trust domain than the one that this agent was set up for",
  },
  "agent.svid_expired": { rung: 5, summary: "the agent's own SVID has expired" },
  "agent.evicted": { rung: 5, summary: "the server does not know this agent any more" },
  "agent.banned": { rung: 5, summary: "the agent is banned" },
  "clock.skew": { rung: 6, summary: "this node's clock is too far from the server's" },
  "sync.not_yet_seen": { rung: 6, summary: "the entry exists and has not reached this agent yet" },
  "sync.server_away": {
    rung: 6,
    summary: "the server cannot be reached; the agent works from what it last heard",
  },
  "entry.none": { rung: 7, summary: "no entry comes near to this caller" },
  "entry.parent_unknown": {
    rung: 7,
    summary: "the entry's parent is no agent that ever attested and no alias",
  },
  "entry.other_node": { rung: 7, summary: "the entry belongs to another node" },
  "entry.parent_superseded": {
    rung: 7,
    summary: "the entry's parent is an earlier ID of this agent",
  },
  "entry.alias_not_matched": {
    rung: 7,
    summary: "the entry's parent is an alias whose selectors this node lacks",
  },
  "entry.selector_contradicted": {
    rung: 8,
    summary: "the entry wants another value than the one observed",
  },
  "entry.selector_near_miss": { rung: 8, summary: "the entry's value looks like a typing error" },
  "entry.selector_unknown_kind": { rung: 8, summary: "no attestor gives this kind of selector" },
  "entry.selector_extra": {
    rung: 8,
    summary: "all selectors of the entry but one hold; all must",
  },
  "entry.path_is_interpreter": {
    rung: 8,
    summary: "the entry names a script, and the kernel sees its interpreter",
  },
  "entry.launcher_missing": {
    rung: 8,
    summary: "the entry wants a process that the launcher started",
  },
  "signing.failed": { rung: 9, summary: "the entry fits, and the server did not sign" },
} as const;
CAUSES satisfies Readonly<Record<string, CauseSpec>>;
// What the kernel's side refuses with is of this table too.
CAUSES satisfies Readonly<Record<PeerCause, CauseSpec>>;

/** The code of a cause, such as `entry.none`. */
export type CauseCode = keyof typeof CAUSES;

/** One cause with the values of this case. For operators only: it may name entries of others (ADR-0073). */
export interface Cause {
  readonly code: CauseCode;
  /** What is so, with the literal values. */
  readonly says: string;
  /** What to do about it. */
  readonly hint: string;
  /** A command that mends it, ready to run; absent where there is none. */
  readonly command?: string;
}
