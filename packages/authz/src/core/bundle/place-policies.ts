import { keysOf, meets, sideOf } from "../engine/scope-index.ts";
import type { Finding } from "../folder/finding.ts";
import type { Folder, SourcedPolicy } from "../folder/folder.ts";
import { actionOf } from "../model/entity-names.ts";
import { modelEntities, reachablesOf } from "../model/model.ts";

/** Where policies go. */
export interface Placement {
  /** Policies by the services whose slice needs them; those of guardrails go to all services and are not here. */
  readonly byService: ReadonlyMap<string, ReadonlySet<SourcedPolicy>>;
  /** Policies that can never apply to anything declared: nobody would ever enforce them. */
  readonly findings: readonly Finding[];
}

/** Finds for each policy the services where it can apply: those with something that its scope meets. */
export function placePolicies({ model, policies }: Folder): Placement {
  const entities = modelEntities(model);
  const byScope = new Map<string, SourcedPolicy[]>();
  for (const sourced of policies) {
    for (const key of keysOf(sourced.policy.resource)) {
      const bucket = byScope.get(key);
      if (bucket === undefined) byScope.set(key, [sourced]);
      else bucket.push(sourced);
    }
  }
  const byService = new Map(model.services.map(({ name }) => [name, new Set<SourcedPolicy>()]));
  const placed = new Set<SourcedPolicy>();
  for (const { resource, actions, service } of reachablesOf(model)) {
    const side = sideOf(resource, entities.find(resource.key));
    const sides = actions.map((name) => {
      const uid = actionOf(name);
      return sideOf(uid, entities.find(uid.key));
    });
    for (const sourced of side.keys.flatMap((key) => byScope.get(key) ?? [])) {
      const { policy, team } = sourced;
      if (!meets(policy.resource, side)) continue;
      if (!sides.some((action) => meets(policy.action, action))) continue;
      placed.add(sourced);
      if (team !== undefined) byService.get(service)?.add(sourced);
    }
  }
  const findings = policies
    .filter((sourced) => !placed.has(sourced))
    .map(({ file, line, id }) => {
      const reason = `${id} applies to nothing that is declared, so nobody would enforce it`;
      return { file, line, rule: "model" as const, reason };
    });
  return { byService, findings };
}
