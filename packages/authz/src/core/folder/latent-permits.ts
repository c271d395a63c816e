import { AccessGraph, type AccessGraphParts } from "../graph/access.ts";
import { actionOf } from "../model/entity-names.ts";
import type { Reachable } from "../model/model.ts";
import type { SourcedPolicy } from "./folder.ts";

/** A permit that gives nobody anything as the folder stands: the day somebody joins its group, it does. */
export interface LatentPermit {
  readonly policyId: string;
  readonly file: string;
  readonly line: number;
}

/**
 * Permits that give nobody anything: for a group that nobody is in, about a tag that nothing has, under conditions of
 * entities that no entity fulfils. What a forbid takes away counts as given; conditions of the request count as met.
 *
 * @param parts     Of the folder; only the permits of `policies` that are asked about are looked at.
 * @param policies  Which ones.
 */
export function latentPermits(
  parts: AccessGraphParts,
  reachables: readonly Reachable[],
  policies: readonly SourcedPolicy[],
): readonly LatentPermit[] {
  const permits = policies.filter(({ policy }) => policy.effect === "permit");
  if (permits.length === 0) return [];
  // Most are seen among all; a permit under conditions can stand behind one without.
  const seen = used(permits);
  return permits
    .filter((permit) => !seen.has(permit.id))
    .filter((permit) => used([permit]).size === 0)
    .map(({ id, file, line }) => ({ policyId: id, file, line }));

  /** Of some permits, those that decide something among each other. */
  function used(some: readonly SourcedPolicy[]): ReadonlySet<string> {
    const found = new Set<string>();
    const graph = new AccessGraph({ ...parts, policies: jsonOf(some) });
    for (const { members } of graph.classes()) {
      const [principal] = members;
      if (principal === undefined) continue;
      for (const { resource, actions } of reachables) {
        for (const action of actions) {
          const { policies: ids } = graph.can(principal, actionOf(action), resource);
          for (const id of ids) found.add(id);
        }
      }
    }
    return found;
  }
}

function jsonOf(policies: readonly SourcedPolicy[]): ReadonlyMap<string, unknown> {
  return new Map(policies.map(({ id, json }) => [id, json]));
}
