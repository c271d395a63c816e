import type { EntityUid } from "../engine/values.ts";
import { AccessGraph } from "../graph/access.ts";
import { entityOf } from "../model/entity-names.ts";
import { type AccessModel, modelEntities } from "../model/model.ts";
import { type Folder, policiesOf } from "./folder.ts";

/** Everybody who can call: users, devices and workloads, in this order. */
export function principalsOf({ users, devices, workloads }: AccessModel): readonly EntityUid[] {
  return [
    ...users.map(({ name }) => entityOf("User", name)),
    ...devices.map(({ name }) => entityOf("Device", name)),
    ...workloads.map(({ id }) => entityOf("Workload", id)),
  ];
}

/**
 * The graph of a folder without findings.
 *
 * @param options.shadow  With the policies that are only tried.
 */
export function graphOfFolder(
  folder: Folder,
  options: { readonly shadow?: boolean } = {},
): AccessGraph {
  return new AccessGraph({
    policies: policiesOf(folder, options),
    entities: modelEntities(folder.model),
    principals: principalsOf(folder.model),
  });
}
