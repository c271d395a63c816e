import type { ObservedSelector, OmittedFact } from "@bonafide/plugin-api";
import type { Entry, Selector } from "../entry.ts";

/** What the client side knows of the socket; absent when the call arrived. */
export type SocketFact =
  | { readonly kind: "missing"; readonly path: string; readonly from: string }
  | {
      readonly kind: "not_permitted";
      readonly path: string;
      readonly component: string;
      readonly ownerUid: number;
      readonly mode: number;
    };

/** How the caller was seen. */
export type CallerFact =
  | { readonly kind: "seen" }
  | { readonly kind: "header_missing"; readonly values: readonly string[] }
  | { readonly kind: "outside_pid_namespace" }
  | {
      readonly kind: "id_unmapped";
      readonly uid: string;
      readonly gid: string;
      /** Whether the agent's user namespace has every id: then the caller really is `nobody`, or of `nogroup`. */
      readonly allMapped: boolean;
    }
  | {
      readonly kind: "ids_changed";
      readonly socketIds: string;
      readonly processIds: string;
    }
  | { readonly kind: "gone" }
  | { readonly kind: "not_pinned"; readonly detail: string }
  | { readonly kind: "ids_unreadable" }
  | { readonly kind: "facts_changed"; readonly detail: string }
  | { readonly kind: "too_many"; readonly detail: string };

/** The agent's own standing with its server. */
export type StandingFact =
  | { readonly kind: "good" }
  | { readonly kind: "not_attested"; readonly detail: string }
  | { readonly kind: "token_used"; readonly detail: string }
  | { readonly kind: "token_refused" }
  | { readonly kind: "bundle_mismatch"; readonly pinned: string; readonly presented: string }
  /** The server's certificate is of another trust domain than this agent was set up for. */
  | {
      readonly kind: "trust_domain_mismatch";
      readonly expected: string;
      readonly presented: string;
    }
  /** The server's certificate is not valid by this node's clock, and it is no SVID that it could speak with. */
  | { readonly kind: "clock_off"; readonly clock: "ahead" | "behind" }
  | {
      readonly kind: "svid_expired";
      readonly expiredAt: string;
      readonly canReattest: boolean;
    }
  /** With the ID, which the agent has no SVID of any more. */
  | { readonly kind: "evicted"; readonly id?: string | undefined }
  | { readonly kind: "banned"; readonly id?: string | undefined; readonly detail: string };

/** How fresh the agent's picture is. */
export interface FreshnessFact {
  /** Ours minus the server's, ms; absent when it was never measured. */
  readonly clockOffsetMs?: number;
  /** Whether the clock is so far off that nothing is issued. */
  readonly clockRefused: boolean;
  /** The server's revision that the entry set belongs to. */
  readonly revision: bigint;
  /** When the agent hears of changes next, in words: `at once (push)` or an instant. */
  readonly nextSync: string;
  /** Since when the server has been away, in words; absent while it is there. */
  readonly awaySince?: string;
}

/** An entry of the server that is not among this agent's. */
export interface ForeignEntry {
  readonly entry: Entry & { readonly parentId: string };
  /** What its parent is, as the server knows it. */
  readonly parent:
    | { readonly kind: "this_agent" }
    | { readonly kind: "agent" }
    | { readonly kind: "former_agent" }
    | {
        readonly kind: "alias";
        readonly id: string;
        readonly selectors: readonly Selector[];
      }
    | { readonly kind: "unknown"; readonly nearest?: string };
}

/** Everything that a refusal is explained from. */
export interface WhyFacts {
  readonly socket?: SocketFact;
  readonly socketPath: string;
  readonly caller: CallerFact;
  readonly pid?: number;
  /** How the question is asked again: `--pid 4711`, or a decision's id. */
  readonly about?: string;
  readonly selectors: readonly ObservedSelector[];
  readonly omitted: readonly OmittedFact[];
  readonly standing: StandingFact;
  readonly freshness: FreshnessFact;
  readonly agentId?: string;
  /** The node's own selectors, for aliases; absent where only the server knows them. */
  readonly nodeSelectors?: readonly Selector[];
  /** The entries that the agent holds. */
  readonly entries: readonly Entry[];
  /** IDs of those whose identities processes hold now. */
  readonly serving?: ReadonlySet<string>;
  /** Entries of the server beyond these, where somebody who may know them passed them in. */
  readonly elsewhere: readonly ForeignEntry[];
  /** Why the server signed nothing, in words; absent when it did or was not asked. */
  readonly signingFailure?: string;
  /** The SPIFFE ID that the caller was expected to get. */
  readonly want?: string;
}
