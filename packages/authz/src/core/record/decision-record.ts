import type { PolicyFault } from "../engine/decide.ts";
import type { ActionName } from "../model/entity-names.ts";
import type { OnBehalfOf } from "../model/request.ts";

/** Why a call was answered as it was; closed. */
export const DECISION_REASONS = [
  /** A permit holds and no forbid does, for every principal of the call. */
  "permitted",
  /** A forbid holds. */
  "forbidden",
  /** Nothing permits. */
  "no_permit",
  /** A forbid erred: it may have been the one that forbids. */
  "policy_erred",
  /** No bundle was ever adopted. */
  "no_bundle",
  /** The bundle has expired, and none came after it. */
  "bundle_expired",
  /** The method is no action of the model. */
  "method_unknown",
  /** Two programs could read the path in two ways. */
  "path_ambiguous",
  /** The framework's router found another route than the bundle declares. */
  "route_disagreement",
  /** The route wants to know on whose behalf it is called. */
  "subject_required",
  /** The route takes no call on behalf of somebody. */
  "subject_refused",
  /** A token came along and was not proven. */
  "token_invalid",
  /** The token was passed on by somebody else than the caller. */
  "actor_mismatch",
  /** An agent acts for a person who gave no grant for it. */
  "grant_missing",
  /** The grant does not go so far. */
  "grant_exceeded",
] as const;

/** One of {@link DECISION_REASONS}. */
export type DecisionReason = (typeof DECISION_REASONS)[number];

/** Which bundle decided. */
export interface BundleRef {
  readonly serial: number;
  /** SHA-256 of the manifest, hex. */
  readonly digest: string;
}

/** The answer about one principal of a call. */
export interface RecordedEdge {
  readonly principal: { readonly workload: string } | { readonly user: string };
  readonly allowed: boolean;
  /** Ids of the determining policies. */
  readonly policies: readonly string[];
  readonly faults: readonly PolicyFault[];
}

/** What shadow policies or a candidate bundle would have answered. */
export interface ShadowAnswer {
  readonly allowed: boolean;
  readonly reason: DecisionReason;
  readonly policies: readonly string[];
  /** Of a candidate; missing for shadow policies of the same bundle. */
  readonly bundle?: BundleRef;
}

/** One decision, with all that is needed to make it again from its bundle. See docs/authz/decision-record.md. */
export interface DecisionRecord {
  readonly id: string;
  /** When, epoch ms; the `context.now` of the request. */
  readonly at: number;
  readonly service: string;
  readonly caller: string;
  /** Missing if the method is no action of the model. */
  readonly action?: ActionName;
  /** Type without namespace, and id, of what was asked for; missing if nobody can say. */
  readonly resource?: {
    readonly type: "Route" | "Table" | "Topic" | "Service";
    readonly id: string;
  };
  /** Method and path as they came, cut; only where no declared route was found. */
  readonly asked?: string;
  readonly tls: boolean;
  readonly sourceIp?: string;
  readonly onBehalfOf?: OnBehalfOf;
  readonly allowed: boolean;
  readonly reason: DecisionReason;
  /** The answer was told and not acted on. */
  readonly observed?: boolean;
  /** Missing if there was none. */
  readonly bundle?: BundleRef;
  /** None where the question never came to policies. */
  readonly edges: readonly RecordedEdge[];
  /** Only those that answer otherwise. */
  readonly shadow?: ShadowAnswer;
  readonly candidate?: ShadowAnswer;
}
