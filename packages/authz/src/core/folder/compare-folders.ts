import { AccessGraph } from "../graph/access.ts";
import { type AccessChange, commonClasses, diffAccess } from "../graph/diff.ts";
import { AccessPaths, type Hop, serviceOf } from "../graph/paths.ts";
import { type AccessModel, type Reachable, reachablesOf } from "../model/model.ts";
import type { Folder } from "./folder.ts";
import { graphOfFolder } from "./graph-of-folder.ts";

/** A change of access, with the classes of data behind the resource's service. */
export interface AnnotatedChange extends AccessChange {
  readonly data: readonly string[];
}

/** A chain of several calls that ends at a service with data. */
export interface DataPath {
  readonly hops: readonly Hop[];
  readonly data: readonly string[];
}

/** What a change of a folder changes for callers. */
export interface FolderDiff {
  readonly changes: readonly AnnotatedChange[];
  /** Shortest chains to services with data for callers who had no chain to that service before. */
  readonly newPaths: readonly DataPath[];
  /** Chains, as they were, to services with data for callers who have none any more. */
  readonly lostPaths: readonly DataPath[];
}

interface State {
  readonly graph: AccessGraph;
  readonly model: AccessModel;
}

/**
 * Access gained and lost between two revisions of a folder, both without findings: exact over declared routes.
 *
 * @param before  `undefined` if there was no folder: all access is gained then.
 */
export function compareFolders(before: Folder | undefined, after: Folder): FolderDiff {
  const now = stateOf(after);
  if (before !== undefined) return compare(stateOf(before), now);
  const { entities, principals } = now.graph.parts;
  const graph = new AccessGraph({ policies: new Map(), entities, principals });
  return compare({ graph, model: now.model }, now);
}

/** What would change if the shadow policies of a folder were enforced. */
export function shadowDiff(folder: Folder): FolderDiff {
  return compare(stateOf(folder), {
    graph: graphOfFolder(folder, { shadow: true }),
    model: folder.model,
  });
}

function stateOf(folder: Folder): State {
  return { graph: graphOfFolder(folder), model: folder.model };
}

function compare(before: State, after: State): FolderDiff {
  const data = new Map<string, readonly string[]>();
  for (const { model } of [before, after]) {
    for (const service of model.services) data.set(service.name, service.data);
  }
  const reachables = mergeReachables(reachablesOf(after.model), reachablesOf(before.model));
  const changes = diffAccess({ before: before.graph, after: after.graph, reachables });
  const classes = commonClasses(before.graph, after.graph);
  const [old, now] = [before, after].map(({ graph, model }) => new AccessPaths(graph, model));
  const [newPaths, lostPaths]: [DataPath[], DataPath[]] = [[], []];
  for (const [first] of classes) {
    if (first === undefined || old === undefined || now === undefined) continue;
    const [had, has] = [old.services(first), now.services(first)];
    newPaths.push(...missingFrom(had, has, data));
    lostPaths.push(...missingFrom(has, had, data));
  }
  return {
    changes: changes.map((change) => ({
      ...change,
      data: data.get(serviceOf(change.resource)) ?? [],
    })),
    newPaths,
    lostPaths,
  };
}

type PathsByService = ReadonlyMap<string, readonly Hop[]>;

/** Chains of more than one call to services with data that `one` lacks; a single call is a change by itself. */
function missingFrom(
  one: PathsByService,
  other: PathsByService,
  data: ReadonlyMap<string, readonly string[]>,
): readonly DataPath[] {
  return [...other].flatMap(([service, hops]) => {
    const classes = data.get(service) ?? [];
    return hops.length < 2 || classes.length === 0 || one.has(service)
      ? []
      : [{ hops, data: classes }];
  });
}

/** All that either state has, with the actions of both. */
function mergeReachables(
  some: readonly Reachable[],
  others: readonly Reachable[],
): readonly Reachable[] {
  const merged = new Map(some.map((reachable) => [reachable.resource.key, reachable]));
  for (const reachable of others) {
    const { key } = reachable.resource;
    const known = merged.get(key);
    const actions = new Set([...(known?.actions ?? []), ...reachable.actions]);
    merged.set(key, { ...reachable, ...known, actions: [...actions] });
  }
  return [...merged.values()];
}
