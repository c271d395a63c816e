import type { CompiledPolicies } from "../engine/compile.ts";
import { type AuthzRequest, decide, enforce, type Verdict } from "../engine/decide.ts";
import { CallerEntities, type KnownCallers } from "../model/caller-entities.ts";
import type { DecisionRecord, RecordedEdge } from "./decision-record.ts";
import { requestsOfRecord } from "./record-line.ts";

/** One edge of a record, decided again. */
export interface ReplayedEdge {
  readonly recorded: RecordedEdge;
  readonly request: AuthzRequest;
  readonly verdict: Verdict;
  /** Whether the answer is the one that was recorded. If not, it was another bundle or another version of the engine. */
  readonly isSame: boolean;
}

/**
 * Decides each edge of a record again.
 *
 * @param bundle  The one whose digest the record names; a `VerifiedBundle` is one.
 * @returns none if the question never came to policies
 * @throws AUTHZ_REQUEST_INVALID  the record names nothing that a request can name
 */
export function replayRecord(
  bundle: KnownCallers & { readonly compiled: CompiledPolicies },
  record: DecisionRecord,
): readonly ReplayedEdge[] {
  // Who is named there may be nobody whom a request can name.
  if (record.edges.length === 0) return [];
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

/** Records cut long lists. */
function startsWith(all: readonly string[], some: readonly string[]): boolean {
  const isWhole = all.length === some.length || some.length > 0;
  return isWhole && some.every((item, index) => item === all[index]);
}
