import type { EntityUid } from "../engine/values.ts";
import { entityOf } from "../model/entity-names.ts";
import { type AccessModel, type Reachable, reachablesOf } from "../model/model.ts";
import type { Access, AccessGraph } from "./access.ts";
import { reach } from "./questions.ts";

/** One call: somebody does something to a resource. */
export interface Hop {
  readonly principal: EntityUid;
  readonly action: EntityUid;
  readonly resource: EntityUid;
  readonly access: Access;
}

/** Longest chain of calls that is looked for, unless somebody asks for less. */
export const PATH_HOPS_MAX = 16;

/**
 * Chains of calls: whoever may call a service, or publish to a topic of it, may make the workloads that serve it call what
 * they may. Tables, and what is taken from a topic, are ends.
 *
 * It looks at who may call whom, never at what a service does with a call, so it finds every chain that is possible and
 * some that are not. Conditional access counts as access.
 */
export class AccessPaths {
  readonly #graph: AccessGraph;
  readonly #reachables: readonly Reachable[];
  readonly #servers: ReadonlyMap<string, readonly EntityUid[]>;
  readonly #calls = new Map<string, readonly Omit<Hop, "principal">[]>();
  readonly #alike = new Map<string, string>();

  constructor(graph: AccessGraph, model: AccessModel) {
    this.#graph = graph;
    this.#reachables = reachablesOf(model);
    this.#servers = new Map(
      model.services.map(({ name, servedBy }) => [
        name,
        servedBy.map((id) => entityOf("Workload", id)),
      ]),
    );
    for (const [index, { members }] of graph.classes().entries()) {
      for (const { key } of members) this.#alike.set(key, `${index}`);
    }
  }

  /** Everything that somebody may call. */
  calls(principal: EntityUid): readonly Hop[] {
    const key = this.#alike.get(principal.key) ?? principal.key;
    let calls = this.#calls.get(key);
    if (calls === undefined) {
      calls = reach(this.#graph, principal, this.#reachables);
      this.#calls.set(key, calls);
    }
    return calls.map((call) => ({ principal, ...call }));
  }

  /**
   * A shortest chain from a caller to something that is looked for.
   *
   * @param options.hopsMax  Most calls in the chain, 1..16, default 16.
   * @returns `undefined` if there is none
   */
  shortest(
    from: EntityUid,
    isWanted: (resource: EntityUid) => boolean,
    options: { readonly hopsMax?: number } = {},
  ): readonly Hop[] | undefined {
    for (const path of this.#walk(from, options.hopsMax ?? PATH_HOPS_MAX)) {
      const last = path.at(-1);
      if (last !== undefined && isWanted(last.resource)) return path;
    }
    return undefined;
  }

  /** A shortest chain to each service that can be reached, by its name. */
  services(from: EntityUid): ReadonlyMap<string, readonly Hop[]> {
    const found = new Map<string, readonly Hop[]>();
    for (const path of this.#walk(from, PATH_HOPS_MAX)) {
      const last = path.at(-1);
      const service = last === undefined ? "" : serviceOf(last.resource);
      if (!found.has(service)) found.set(service, path);
    }
    return found;
  }

  /** Chains, shorter ones first; each workload makes calls once only. */
  *#walk(from: EntityUid, hopsMax: number): Iterable<readonly Hop[]> {
    const seen = new Set([from.key]);
    let ends: { readonly path: readonly Hop[]; readonly callers: readonly EntityUid[] }[] = [
      { path: [], callers: [from] },
    ];
    for (let hops = 1; hops <= Math.min(hopsMax, PATH_HOPS_MAX) && ends.length > 0; hops++) {
      const next: typeof ends = [];
      for (const { path, callers } of ends) {
        for (const caller of callers) {
          for (const call of this.calls(caller)) {
            const longer = [...path, call];
            yield longer;
            if (!isPassedOn(call.action)) continue;
            const servers = this.#serversOf(call.resource).filter(({ key }) => !seen.has(key));
            for (const { key } of servers) seen.add(key);
            if (servers.length > 0) next.push({ path: longer, callers: servers });
          }
        }
      }
      ends = next;
    }
  }

  #serversOf(resource: EntityUid): readonly EntityUid[] {
    return this.#servers.get(serviceOf(resource)) ?? [];
  }
}

/** Whether what serves a resource hears of it: who reads a table, or takes from a topic, makes nobody do anything. */
function isPassedOn({ id }: EntityUid): boolean {
  return id !== "topic.consume" && !id.startsWith("db.");
}

/** The name of the service that a resource belongs to; no name of a service holds a slash. */
export function serviceOf({ id }: EntityUid): string {
  return id.split("/")[0] ?? "";
}
