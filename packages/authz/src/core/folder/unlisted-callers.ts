import type { EntityInput } from "../engine/entities.ts";
import type { EntityUid } from "../engine/values.ts";
import { entitiesIn } from "../graph/conjuncts.ts";
import { entityOf } from "../model/entity-names.ts";
import { type AccessModel, workloadEntities } from "../model/model.ts";
import { isSpiffePath } from "../model/spiffe-paths.ts";
import { type Folder, policiesOf } from "./folder.ts";

const MENTIONED = /^BF::(Workload|IdPath|TrustDomain)::"(.*)"$/s;
const SCHEME = "spiffe://";
const REST = "/*";

/**
 * SPIFFE IDs that stand for all that no `workloads.yaml` lists: the rest of each prefix that a policy or a team names,
 * written `spiffe://example.org/ns/shop/*`, and each single ID that a policy names. Listed or not, whoever has an ID
 * is decided about by it, so these are all the cases there are.
 *
 * @param folders  All that are compared: what one of them names, the other one is asked about too.
 */
export function unlistedCallers(folders: readonly Folder[]): readonly string[] {
  const found = new Set<string>();
  for (const { model } of folders) {
    for (const domain of [model.trustDomain, ...model.federated]) found.add(restOf(domain));
    for (const prefix of model.idOwners.keys()) found.add(`${prefix}${REST}`);
  }
  for (const folder of folders) {
    for (const json of policiesOf(folder, { shadow: true }).values()) {
      entitiesIn(json, (key) => {
        const [, type, id = ""] = MENTIONED.exec(key) ?? [];
        if (type === "Workload" && isSpiffePath(id)) found.add(id);
        if (type === "IdPath" && isSpiffePath(id)) found.add(`${id}${REST}`);
        if (type === "TrustDomain" && isSpiffePath(`${SCHEME}${id}`)) found.add(restOf(id));
      });
    }
  }
  return [...found].toSorted();
}

/** The entities of unlisted callers. Their kind is unknown, as it is when they call: what asks for it errs. */
export function unlistedEntities(
  model: AccessModel,
  callers: readonly string[],
): readonly EntityInput[] {
  return callers.flatMap((caller) => {
    const id = caller.endsWith(REST) ? caller.slice(0, -REST.length) : caller;
    const own = entityOf("Workload", id).key;
    return workloadEntities(model, { id, kind: "service", attested: [] }).map((input) =>
      input.uid.key === own ? { uid: entityOf("Workload", caller), parents: input.parents } : input,
    );
  });
}

/**
 * Leaves out unlisted callers of a prefix who only have what all listed ones of it have: these are shown, and say it.
 *
 * @param has  Whether a listed caller has it too.
 */
export function worthShowing(
  principals: readonly EntityUid[],
  models: readonly AccessModel[],
  has: (listed: EntityUid) => boolean,
): readonly EntityUid[] {
  return principals.filter(({ type, id }) => {
    if (type !== "BF::Workload" || !id.endsWith(REST)) return true;
    const prefix = id.slice(0, -REST.length);
    const listed = models
      .flatMap(({ workloads }) => workloads)
      .filter((one) => one.id === prefix || one.id.startsWith(`${prefix}/`));
    return listed.length === 0 || !listed.every((one) => has(entityOf("Workload", one.id)));
  });
}

function restOf(trustDomain: string): string {
  return `${SCHEME}${trustDomain}${REST}`;
}
