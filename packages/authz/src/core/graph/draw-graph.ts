import type { EntityUid } from "../engine/values.ts";
import { nameOf } from "../folder/names.ts";
import { entityOf } from "../model/entity-names.ts";
import { type AccessModel, ownerOfId } from "../model/model.ts";
import type { AccessGraph } from "./access.ts";
import { AccessPaths, serviceOf } from "./paths.ts";

/** What one caller may do to one service, together. */
export interface GraphEdge {
  readonly caller: EntityUid;
  readonly service: string;
  readonly actions: readonly string[];
  /** How many routes, tables and topics of it. */
  readonly resources: number;
  /** Whether all of it hangs on the request. */
  readonly isConditional: boolean;
}

/** A graph of callers and services. */
export interface GraphDrawing {
  readonly edges: readonly GraphEdge[];
  /** Callers with an edge, with their team. */
  readonly callers: readonly { readonly uid: EntityUid; readonly team: string | undefined }[];
  readonly services: AccessModel["services"];
}

/** Limits of a drawing. */
export interface DrawOptions {
  /** Only what these reach, by chains too; everybody's calls if missing. */
  readonly from?: readonly EntityUid[];
  /** Only calls to this service. */
  readonly to?: string;
}

/** Draws who may call which service. */
export function drawGraph(
  graph: AccessGraph,
  model: AccessModel,
  { from, to }: DrawOptions = {},
): GraphDrawing {
  const paths = new AccessPaths(graph, model);
  const callers = from === undefined ? graph.parts.principals : closure(from, paths, model);
  const edges = callers
    .flatMap((caller) => edgesOf(caller, paths))
    .filter(({ service }) => to === undefined || service === to);
  const calling = new Set(edges.map(({ caller }) => caller.key));
  const called = new Set(edges.map(({ service }) => service));
  return {
    edges,
    callers: callers
      .filter(({ key }) => calling.has(key))
      .map((uid) => ({
        uid,
        team: uid.type === "BF::Workload" ? ownerOfId(model.idOwners, uid.id) : undefined,
      })),
    services: model.services.filter(({ name }) => called.has(name)),
  };
}

/** Some callers, and the workloads that they reach by chains of calls. */
function closure(
  from: readonly EntityUid[],
  paths: AccessPaths,
  { services }: AccessModel,
): readonly EntityUid[] {
  const found = new Map(from.map((uid) => [uid.key, uid]));
  const reached = new Set(from.flatMap((caller) => [...paths.services(caller).keys()]));
  for (const { name, servedBy } of services) {
    for (const id of reached.has(name) ? servedBy : []) {
      const uid = entityOf("Workload", id);
      found.set(uid.key, uid);
    }
  }
  return [...found.values()];
}

function edgesOf(caller: EntityUid, paths: AccessPaths): readonly GraphEdge[] {
  const byService = Map.groupBy(paths.calls(caller), ({ resource }) => serviceOf(resource));
  return [...byService].map(([service, hops]) => ({
    caller,
    service,
    actions: [...new Set(hops.map(({ action }) => action.id))].toSorted(),
    resources: new Set(hops.map(({ resource }) => resource.key)).size,
    isConditional: hops.every(({ access }) => access.kind === "conditional"),
  }));
}

/** A drawing in the DOT language of Graphviz: boxes for teams, dashes for access under conditions. */
export function graphToDot(drawing: GraphDrawing): string {
  const lines = ["digraph access {", "  rankdir=LR;", "  node [shape=box];"];
  for (const [index, [team, nodes]] of teamsOf(drawing).entries()) {
    const indent = team === undefined ? "  " : "    ";
    if (team !== undefined) {
      lines.push(`  subgraph cluster_${index} {`, `    label=${dotText(team)};`);
    }
    for (const { id, label, isService } of nodes) {
      const shape = isService ? ", shape=folder" : "";
      lines.push(`${indent}${dotText(id)} [label=${dotText(label)}${shape}];`);
    }
    if (team !== undefined) lines.push("  }");
  }
  for (const { caller, service, isConditional, ...edge } of drawing.edges) {
    const style = isConditional ? ", style=dashed" : "";
    const label = dotText(edgeLabel(edge));
    lines.push(
      `  ${dotText(nameOf(caller))} -> ${dotText(`service ${service}`)} [label=${label}${style}];`,
    );
  }
  for (const [service, id] of served(drawing)) {
    lines.push(
      `  ${dotText(`service ${service}`)} -> ${dotText(id)} [style=dotted, arrowhead=none];`,
    );
  }
  return [...lines, "}"].join("\n");
}

/** A drawing in Mermaid's language, which git hosts show in Markdown. */
export function graphToMermaid(drawing: GraphDrawing): string {
  const lines = ["flowchart LR"];
  const numbers = new Map<string, string>();
  for (const [index, [team, nodes]] of teamsOf(drawing).entries()) {
    const indent = team === undefined ? "  " : "    ";
    if (team !== undefined) lines.push(`  subgraph t${index} [${mermaidText(team)}]`);
    for (const { id, label, isService } of nodes) {
      const name = `n${numbers.size}`;
      numbers.set(id, name);
      const [open, close] = isService ? ["[(", ")]"] : ["[", "]"];
      lines.push(`${indent}${name}${open}${mermaidText(label)}${close}`);
    }
    if (team !== undefined) lines.push("  end");
  }
  const node = (id: string): string => numbers.get(id) ?? "";
  for (const { caller, service, isConditional, ...edge } of drawing.edges) {
    const arrow = isConditional ? "-.->" : "-->";
    const label = mermaidText(edgeLabel(edge));
    lines.push(`  ${node(nameOf(caller))} ${arrow}|${label}| ${node(`service ${service}`)}`);
  }
  for (const [service, id] of served(drawing)) {
    lines.push(`  ${node(`service ${service}`)} -.- ${node(id)}`);
  }
  return lines.join("\n");
}

interface Node {
  readonly id: string;
  readonly label: string;
  readonly isService: boolean;
}

/** Nodes by team, in the order of names; people and devices are of none. */
function teamsOf({ callers, services }: GraphDrawing): readonly [string | undefined, Node[]][] {
  const teams = new Map<string | undefined, Node[]>();
  const add = (team: string | undefined, node: Node): void => {
    const nodes = teams.get(team) ?? [];
    nodes.push(node);
    teams.set(team, nodes);
  };
  for (const { uid, team } of callers) {
    add(team, { id: nameOf(uid), label: shortName(nameOf(uid)), isService: false });
  }
  for (const { name, team, data } of services) {
    const label = data.length === 0 ? name : `${name} (${data.join(", ")})`;
    add(team, { id: `service ${name}`, label, isService: true });
  }
  return [...teams].toSorted(([a = ""], [b = ""]) => (a < b ? -1 : a > b ? 1 : 0));
}

/** Services and the drawn workloads that serve them. */
function* served({ services, callers }: GraphDrawing): Iterable<readonly [string, string]> {
  const drawn = new Set(callers.map(({ uid }) => uid.id));
  for (const { name, servedBy } of services) {
    for (const id of servedBy) if (drawn.has(id)) yield [name, id];
  }
}

function shortName(name: string): string {
  return name.replace(/^spiffe:\/\/[^/]+\//, "");
}

function edgeLabel({ actions, resources }: Pick<GraphEdge, "actions" | "resources">): string {
  const shown = actions.length > 3 ? [...actions.slice(0, 3), "..."] : actions;
  return resources === 1 ? shown.join(", ") : `${shown.join(", ")} (${resources})`;
}

function dotText(text: string): string {
  return `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
}

/** All but plain characters by number, as Mermaid reads them. */
function mermaidText(text: string): string {
  const plain = text.replaceAll(/[^\w ./:?,()-]/gu, (char) => `#${char.codePointAt(0) ?? 0};`);
  return `"${plain}"`;
}
