import { AccessGraph } from "../graph/access.ts";
import { type AccessChange, commonClasses, diffAccess } from "../graph/diff.ts";
import { AccessPaths, type Hop, serviceOf } from "../graph/paths.ts";
import { type AccessModel, type Reachable, reachablesOf } from "../model/model.ts";
import type { Folder } from "./folder.ts";
import { type GraphOptions, graphOfFolder } from "./graph-of-folder.ts";
import { type LatentPermit, latentPermits } from "./latent-permits.ts";
import { type SubjectChange, subjectChanges } from "./subject-changes.ts";
import { unlistedCallers, worthShowing } from "./unlisted-callers.ts";

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
  /** Routes that want to know something else about on whose behalf they are called. */
  readonly subjects: readonly SubjectChange[];
  /** New or changed permits that give nobody anything yet. */
  readonly latent: readonly LatentPermit[];
  /** Classes of data that services no longer have: what asks for approval, and invariants, no longer see them. */
  readonly declassified: readonly Declassified[];
}

/** A service that no longer has classes of data. */
export interface Declassified {
  readonly service: string;
  readonly data: readonly string[];
}

/** Whether a difference lets anybody do anything that was refused before, also under conditions. */
export function isMoreAccess(diff: FolderDiff): boolean {
  const { changes, newPaths, subjects, latent, declassified } = diff;
  return (
    changes.some(({ kind }) => kind !== "lost") ||
    newPaths.length > 0 ||
    latent.length > 0 ||
    declassified.length > 0 ||
    subjects.some(({ isLoosened }) => isLoosened)
  );
}

interface State {
  readonly graph: AccessGraph;
  readonly model: AccessModel;
  readonly policies: Folder["policies"];
}

/**
 * Access gained and lost between two revisions of a folder, both without findings: exact over declared routes. Callers
 * that no `workloads.yaml` lists count too, by the prefixes and IDs that policies and teams name.
 *
 * @param before  `undefined` if there was no folder: all access is gained then.
 */
export function compareFolders(before: Folder | undefined, after: Folder): FolderDiff {
  const unlisted = unlistedCallers(before === undefined ? [after] : [before, after]);
  const now = stateOf(after, { unlisted });
  if (before !== undefined) return compare(stateOf(before, { unlisted }), now);
  const { entities, principals } = now.graph.parts;
  const graph = new AccessGraph({ policies: new Map(), entities, principals });
  return compare({ graph, model: now.model, policies: [] }, now);
}

/** What would change if the shadow policies of a folder were enforced. */
export function shadowDiff(folder: Folder): FolderDiff {
  const unlisted = unlistedCallers([folder]);
  return compare(stateOf(folder, { unlisted }), stateOf(folder, { unlisted, shadow: true }));
}

function stateOf(folder: Folder, options: GraphOptions): State {
  const policies = folder.policies.filter(({ shadow }) => !shadow || options.shadow === true);
  return { graph: graphOfFolder(folder, options), model: folder.model, policies };
}

function compare(before: State, after: State): FolderDiff {
  const data = new Map<string, readonly string[]>();
  for (const { model } of [before, after]) {
    // Of both: who takes a class away says nothing about what lies there.
    for (const { name, data: own } of model.services) {
      data.set(name, [...new Set([...(data.get(name) ?? []), ...own])]);
    }
  }
  const reachables = mergeReachables(reachablesOf(after.model), reachablesOf(before.model));
  const models = [before.model, after.model];
  const changes = shown(
    diffAccess({ before: before.graph, after: after.graph, reachables }),
    models,
  );
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
    subjects: subjectChanges(before, after),
    latent: latentPermits(after.graph.parts, reachables, changedPolicies(before, after)),
    declassified: declassifiedIn(before.model, after.model),
  };
}

function changedPolicies(before: State, after: State): Folder["policies"] {
  const old = new Map(before.policies.map(({ id, json }) => [id, JSON.stringify(json)]));
  return after.policies.filter(({ id, json }) => old.get(id) !== JSON.stringify(json));
}

function declassifiedIn(before: AccessModel, after: AccessModel): readonly Declassified[] {
  const now = new Map(after.services.map(({ name, data }) => [name, data]));
  return before.services.flatMap(({ name, data }) => {
    const kept = now.get(name);
    const lost = kept === undefined ? [] : data.filter((one) => !kept.includes(one));
    return lost.length === 0 ? [] : [{ service: name, data: lost }];
  });
}

/** Without changes for unlisted callers that the listed ones of the same prefix share. */
function shown(
  changes: readonly AccessChange[],
  models: readonly AccessModel[],
): readonly AccessChange[] {
  const having = new Map<string, Set<string>>();
  for (const change of changes) {
    const known = having.get(keyOf(change)) ?? new Set();
    for (const { key } of change.principals) known.add(key);
    having.set(keyOf(change), known);
  }
  return changes.flatMap((change) => {
    const alike = having.get(keyOf(change));
    const principals = worthShowing(
      change.principals,
      models,
      ({ key }) => alike?.has(key) === true,
    );
    return principals.length === 0 ? [] : [{ ...change, principals }];
  });
}

function keyOf({ kind, action, resource }: AccessChange): string {
  return `${kind} ${action.key} ${resource.key}`;
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
