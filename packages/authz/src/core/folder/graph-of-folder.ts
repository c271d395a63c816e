import type { EntityUid } from "../engine/values.ts";
import { AccessGraph } from "../graph/access.ts";
import { entityOf } from "../model/entity-names.ts";
import { type AccessModel, modelEntities } from "../model/model.ts";
import { type Folder, policiesOf } from "./folder.ts";
import { unlistedEntities } from "./unlisted-callers.ts";

/** Everybody who is listed: users, devices and workloads, in this order. */
export function principalsOf({ users, devices, workloads }: AccessModel): readonly EntityUid[] {
  return [
    ...users.map(({ name }) => entityOf("User", name)),
    ...devices.map(({ name }) => entityOf("Device", name)),
    ...workloads.map(({ id }) => entityOf("Workload", id)),
  ];
}

/** What a graph of a folder is made with. */
export interface GraphOptions {
  /** With the policies that are only tried. */
  readonly shadow?: boolean;
  /** Callers to ask about whom the folder does not list; see {@link unlistedCallers}. */
  readonly unlisted?: readonly string[];
}

/** The graph of a folder without findings. */
export function graphOfFolder(folder: Folder, options: GraphOptions = {}): AccessGraph {
  const { model } = folder;
  const { unlisted = [] } = options;
  const listed = principalsOf(model);
  const known = new Set(listed.map(({ key }) => key));
  const others = unlisted.map((id) => entityOf("Workload", id));
  return new AccessGraph({
    policies: policiesOf(folder, options),
    entities: modelEntities(model, unlistedEntities(model, unlisted)),
    principals: [...listed, ...others.filter(({ key }) => !known.has(key))],
  });
}
