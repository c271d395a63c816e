import type { Manifest } from "../bundle/manifest.ts";
import type { CompiledPolicies } from "../engine/compile.ts";
import { type AuthzRequest, decide, enforce, type Verdict } from "../engine/decide.ts";
import { CallerEntities, type KnownCallers } from "../model/caller-entities.ts";
import { type AccessModel, isOfKnownDomain, type SubjectRule } from "../model/model.ts";
import { isSpiffePath } from "../model/spiffe-paths.ts";
import { firstRefusal, reasonOf } from "./decision-reason.ts";
import type { DecisionReason, DecisionRecord, RecordedEdge } from "./decision-record.ts";
import { requestsOfRecord } from "./record-line.ts";

/** One edge of a record, decided again. */
export interface ReplayedEdge {
  readonly recorded: RecordedEdge;
  readonly request: AuthzRequest;
  readonly verdict: Verdict;
  /** Whether the answer is the one that was recorded. If not, it was another bundle or another version of the engine. */
  readonly isSame: boolean;
}

/** A bundle that records are replayed by. A `VerifiedBundle` is one; one that is only good for this is a `RecordedBundle`. */
export interface ReplayBundle extends KnownCallers {
  readonly model: KnownCallers["model"] & Pick<AccessModel, "services" | "federated">;
  readonly manifest: Pick<Manifest, "expires">;
  readonly compiled: CompiledPolicies;
}

/** A decision that was made again. */
export interface Replayed {
  /** What policies say of each principal; none if the question never came to them. */
  readonly edges: readonly ReplayedEdge[];
  /**
   * Whether the answer is the one that was recorded. Of reasons that rest on what no record holds (the token, the
   * router's route), that nothing speaks against them.
   */
  readonly isSame: boolean;
}

/**
 * Makes a recorded decision again: whether the bundle was good then, what the route wants to know, each edge.
 *
 * @param bundle  The one whose digest the record names.
 */
export function replayRecord(bundle: ReplayBundle, record: DecisionRecord): Replayed {
  const { allowed, reason } = record;
  const edges = record.edges.length === 0 ? [] : edgesOf(bundle, record);
  const isConsistent = allowed === (reason === "permitted");
  const isSame = edges.every((edge) => edge.isSame) && couldBe(bundle, record, edges);
  return { edges, isSame: isConsistent && isSame };
}

function edgesOf(bundle: ReplayBundle, record: DecisionRecord): readonly ReplayedEdge[] {
  const entities = new CallerEntities(bundle).of(record.caller);
  const requests = requestsOfRecord(record);
  return record.edges.flatMap((recorded, index) => {
    const request = requests[index];
    if (request === undefined) return [];
    const verdict = enforce(decide(bundle.compiled, entities, request));
    const { determining, faults } = verdict.decision;
    const isSame =
      verdict.allowed === recorded.allowed &&
      startsWith(determining, recorded.policies) &&
      startsWith(
        faults.map(({ policyId, fault }) => `${policyId} ${fault}`),
        recorded.faults.map(({ policyId, fault }) => `${policyId} ${fault}`),
      );
    return [{ recorded, request, verdict, isSame }];
  });
}

/** Whether a call as it is recorded can have come to its reason. */
function couldBe(
  bundle: ReplayBundle,
  record: DecisionRecord,
  edges: readonly ReplayedEdge[],
): boolean {
  const { at, action, resource, reason, onBehalfOf } = record;
  if (at >= bundle.manifest.expires || reason === "bundle_expired") {
    return at >= bundle.manifest.expires && reason === "bundle_expired";
  }
  if (action === undefined) return reason === "method_unknown";
  if (resource === undefined) {
    const isServed = bundle.model.services.some(({ name }) => name === record.service);
    return PATH_REASONS.has(reason) || (reason === "no_bundle" && !isServed);
  }
  if (!isOfKnownDomain(record.caller, bundle.model)) {
    return reason === "no_permit" && record.edges.length === 0;
  }
  const subject = subjectOf(bundle, record);
  if (edges.length === 0) return couldBeBefore(reason, subject, record);
  const isEverybody =
    record.edges.length === (onBehalfOf === undefined ? 1 : 2) &&
    edges.length === record.edges.length;
  const isSubject = onBehalfOf === undefined ? subject !== "required" : subject !== "none";
  if (!isEverybody || !isSubject || !areTheirs(record)) return false;
  const found = firstRefusal(edges.map(({ verdict }) => reasonOf(verdict.decision)));
  // A grant only takes away.
  return found === reason || (found === "permitted" && GRANT_REASONS.has(reason));
}

const PATH_REASONS: ReadonlySet<DecisionReason> = new Set(["path_ambiguous", "route_disagreement"]);
const GRANT_REASONS: ReadonlySet<DecisionReason> = new Set(["grant_missing", "grant_exceeded"]);

/** The same before policies were asked. */
function couldBeBefore(
  reason: DecisionReason,
  subject: SubjectRule,
  { caller, onBehalfOf }: DecisionRecord,
): boolean {
  switch (reason) {
    case "subject_required":
    case "subject_refused":
      return subject === (reason === "subject_required" ? "required" : "none");
    case "token_invalid":
      return true;
    case "actor_mismatch":
      return subject !== "none";
    case "no_permit":
      // An ID that no request can name.
      return onBehalfOf === undefined && !isSpiffePath(caller);
    default:
      return false;
  }
}

/** Whether the edges are of those who made the call. */
function areTheirs({ caller, edges, onBehalfOf }: DecisionRecord): boolean {
  return edges.every(({ principal }, index) =>
    index === 0
      ? "workload" in principal && principal.workload === caller
      : "user" in principal && principal.user === onBehalfOf?.user,
  );
}

function subjectOf({ model }: ReplayBundle, { service, resource }: DecisionRecord): SubjectRule {
  const routes = model.services.find(({ name }) => name === service)?.routes ?? [];
  const route = routes.find(({ path }) => `${service}/${path}` === resource?.id);
  return resource?.type === "Route" ? (route?.subject ?? "optional") : "optional";
}

/** Records cut long lists. */
function startsWith(all: readonly string[], some: readonly string[]): boolean {
  const isWhole = all.length === some.length || some.length > 0;
  return isWhole && some.every((item, index) => item === all[index]);
}
