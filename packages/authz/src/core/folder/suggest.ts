import type { EntityUid } from "../engine/values.ts";
import type { AccessGraph } from "../graph/access.ts";
import { type ActionName, actionOf } from "../model/entity-names.ts";
import { UNDECLARED } from "../model/model.ts";
import type { SeenEdge } from "../record/access-log.ts";
import type { Folder } from "./folder.ts";
import { nameOf } from "./names.ts";

/** Access that was tried and that nothing permits, as a permit could say it. */
export interface Suggestion {
  readonly team: string;
  readonly to: string;
  readonly actions: readonly ActionName[];
  /** Callers who tried, as the short form writes them. */
  readonly from: readonly string[];
  readonly count: number;
  /** Wider permits along teams and prefixes that exist, with who else they would let in. */
  readonly instead: readonly { readonly from: string; readonly alsoAllows: readonly string[] }[];
}

/** Tries that no permit should answer, and why not. */
export interface NotSuggested {
  readonly caller: string;
  readonly action: ActionName;
  readonly resource: string;
  readonly count: number;
  readonly why: string;
}

/** What an access log suggests. */
export interface Suggestions {
  readonly suggestions: readonly Suggestion[];
  readonly rest: readonly NotSuggested[];
}

/**
 * Suggests the fewest permits that would have allowed what was denied: for the callers seen, the actions seen, on the
 * declared routes seen. Nothing is widened but along teams and prefixes that exist, and then with who else it lets in.
 */
export function suggestPermits(
  folder: Folder,
  graph: AccessGraph,
  edges: readonly SeenEdge[],
): Suggestions {
  const rest: NotSuggested[] = [];
  const wanted = new Map<
    string,
    {
      resource: EntityUid;
      callers: Map<string, EntityUid>;
      actions: Set<ActionName>;
      count: number;
    }
  >();
  const byCaller = new Map<
    string,
    { resource: EntityUid; caller: EntityUid; actions: Set<ActionName>; count: number }
  >();
  for (const { caller, action, resource, allowed, count } of edges) {
    if (allowed) continue;
    const why =
      caller === undefined
        ? "the counter had no room for its caller"
        : refusalOf(folder, graph, { caller, action, resource });
    if (caller === undefined || why !== undefined) {
      const name = caller === undefined ? "*" : nameOf(caller);
      if (why !== "")
        rest.push({ caller: name, action, resource: nameOf(resource), count, why: why ?? "" });
      continue;
    }
    const key = `${caller.key} ${resource.key}`;
    const known = byCaller.get(key) ?? { resource, caller, actions: new Set(), count: 0 };
    known.actions.add(action);
    known.count += count;
    byCaller.set(key, known);
  }
  // Callers who did the same to the same are one permit's worth.
  for (const { resource, caller, actions, count } of byCaller.values()) {
    const key = `${resource.key} ${[...actions].toSorted().join()}`;
    const known = wanted.get(key) ?? { resource, callers: new Map(), actions, count: 0 };
    known.callers.set(caller.key, caller);
    known.count += count;
    wanted.set(key, known);
  }
  const suggestions = [...wanted.values()].map(({ resource, callers, actions, count }) => ({
    team: folder.model.services.find(({ name }) => name === resource.id.split("/")[0])?.team ?? "",
    to: nameOf(resource),
    actions: [...actions].toSorted(),
    from: [...callers.values()].map(nameOf).toSorted(),
    count,
    instead: widerOf([...callers.values()], graph),
  }));
  return { suggestions: suggestions.toSorted((a, b) => b.count - a.count), rest };
}

/** Why no permit is the answer; `""` if the answer is yes by now, `undefined` if a permit is. */
function refusalOf(
  { model }: Folder,
  graph: AccessGraph,
  { caller, action, resource }: { caller: EntityUid; action: ActionName; resource: EntityUid },
): string | undefined {
  const { entities } = graph.parts;
  if (entities.find(caller.key) === undefined) return "the caller is not in the model";
  if (resource.id.endsWith(`/${UNDECLARED}`)) return "the path is not declared";
  if (
    !model.services.some(({ name }) => name === resource.id.split("/")[0]) ||
    entities.find(resource.key) === undefined
  ) {
    return "the resource is not in the model";
  }
  const access = graph.can(caller, actionOf(action), resource);
  if (access.kind === "allow") return "";
  if (access.kind === "conditional") return `allowed only if ${access.conditions.join(", and ")}`;
  return access.policies.length === 0 ? undefined : `forbidden by ${access.policies.join(", ")}`;
}

const WIDER = /^BF::(?:Team|IdPath)$/;

/** Teams and prefixes that several callers share, with those of them who never tried; closest first. */
function widerOf(callers: readonly EntityUid[], { parts }: AccessGraph): Suggestion["instead"] {
  if (callers.length < 2) return [];
  const seen = new Set(callers.map(({ key }) => key));
  const [first, ...others] = callers.map(({ key }) => parts.entities.find(key)?.ancestors);
  const shared = [...(first ?? [])].filter((key) => others.every((of) => of?.has(key) === true));
  return shared
    .flatMap((key) => {
      const [, type = "", id = ""] = /^(BF::\w+)::"(.*)"$/s.exec(key) ?? [];
      if (!WIDER.test(type)) return [];
      const also = parts.principals.filter(
        (uid) => !seen.has(uid.key) && parts.entities.find(uid.key)?.ancestors.has(key) === true,
      );
      return [
        {
          from: type === "BF::Team" ? `team:${id}` : `${id}/*`,
          alsoAllows: also.map(nameOf),
        },
      ];
    })
    .toSorted((a, b) => a.alsoAllows.length - b.alsoAllows.length);
}

/** A permit that a log has no use of. */
export interface UnusedPermit {
  readonly policyId: string;
  readonly file: string;
  readonly line: number;
  /** Actions that nobody used, of those that it names; all of them if the permit was never used. */
  readonly actions: readonly string[];
  readonly isUnused: boolean;
}

/**
 * Permits that no call of a log needed, and those of which only some actions were used. A permit counts as used if it
 * could have allowed a call that was allowed, also beside others.
 */
export function unusedPermits(
  folder: Folder,
  graph: AccessGraph,
  edges: readonly SeenEdge[],
): readonly UnusedPermit[] {
  const used = new Map<string, Set<string>>();
  for (const { caller, action, resource, allowed } of edges) {
    if (!allowed || caller === undefined) continue;
    for (const id of graph.can(caller, actionOf(action), resource).policies) {
      used.set(id, (used.get(id) ?? new Set()).add(action));
    }
  }
  return folder.policies.flatMap(({ id, file, line, shadow, policy }) => {
    if (shadow || policy.effect !== "permit") return [];
    const seen = used.get(id);
    const named = policy.action.op === "in" ? policy.action.entities : [];
    const names =
      policy.action.op === "equals" ? [policy.action.entity.id] : named.map((uid) => uid.id);
    // Groups of actions have no dot in their name.
    const idle = names.filter((name) => name.includes(".") && seen?.has(name) !== true);
    if (seen !== undefined && idle.length === 0) return [];
    return [{ policyId: id, file, line, actions: idle, isUnused: seen === undefined }];
  });
}
