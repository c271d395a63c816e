import type { RouteDeclaration, WidenedRoute } from "@bonafide/authz";
import { BonafideError } from "@bonafide/errors";
import { isMap, isScalar, isSeq, type Node, parseDocument, type YAMLMap, type YAMLSeq } from "yaml";
import { CLI_ERRORS } from "../errors.ts";

/** What is written into a file of routes. */
export interface RoutesEdit {
  readonly added: readonly RouteDeclaration[];
  /** Of those that this file declares. */
  readonly widened: readonly WidenedRoute[];
}

/** A piece of text to be put in at a place. */
interface Insertion {
  readonly at: number;
  readonly text: string;
}

/**
 * Adds routes and methods to a routes file. Everything that people wrote stays as it is, to the byte: comments, order,
 * quotes, indentation.
 *
 * @throws AUTHZ_ROUTES_UNEDITABLE  the file is written in a way (an anchor, a block within a flow) that has to be edited
 *   by hand
 */
export function editRoutesFile(source: string, { added, widened }: RoutesEdit): string {
  const document = parseDocument(source, { keepSourceTokens: true });
  const top = document.contents;
  if (document.errors.length > 0 || !isMap(top)) throw uneditable("it is no map");
  const routes = top.get("routes", true);
  const insertions = widened.map((route) => widening(source, routes, route));
  const lines = added.map(routeLine);
  if (lines.length > 0) insertions.push(...appended(source, routes, lines));
  let text = source;
  for (const { at, text: piece } of insertions.toSorted((a, b) => b.at - a.at)) {
    text = text.slice(0, at) + piece + text.slice(at);
  }
  return text;
}

/** A new file for the routes of a service. */
export function newRoutesFile(service: string, added: readonly RouteDeclaration[]): string {
  const lines = added.map((route) => `  - ${routeLine(route)}\n`);
  return `service: ${service}\nroutes:\n${lines.join("")}`;
}

/** A route as one line of YAML. */
export function routeLine({ path, actions, tags }: RouteDeclaration): string {
  const tagged = tags.length === 0 ? "" : `, tags: [${tags.join(", ")}]`;
  if (actions.includes("grpc.call")) return `{ grpc: ${path}${tagged} }`;
  return `{ path: ${JSON.stringify(`/${path}`)}, methods: [${methodsOf(actions)}]${tagged} }`;
}

/** Actions as a routes file names them. */
export function methodsOf(actions: RouteDeclaration["actions"]): string {
  return actions.map((name) => name.replace(/^http\./, "")).join(", ");
}

function widening(source: string, routes: unknown, { path, actions }: WidenedRoute): Insertion {
  const item = isSeq(routes) ? routes.items.find((one) => pathOf(one) === path) : undefined;
  const methods = isMap(item) ? item.get("methods", true) : undefined;
  if (!isSeq(methods) || methods.items.length === 0) throw uneditable(`methods of /${path}`);
  const names = methodsOf(actions);
  if (methods.flow === true) return { at: endOf(methods.items.at(-1)), text: `, ${names}` };
  const { at, indent } = blockEnd(source, methods);
  return {
    at,
    text: names
      .split(", ")
      .map((name) => `\n${indent}- ${name}`)
      .join(""),
  };
}

function pathOf(item: unknown): string | undefined {
  const path: unknown = isMap(item) ? item.get("path") : undefined;
  return typeof path === "string" ? path.replace(/^\//, "") : undefined;
}

function appended(source: string, routes: unknown, lines: readonly string[]): Insertion[] {
  if (routes === undefined || (isScalar(routes) && routes.value === null)) {
    if (routes !== undefined) throw uneditable("routes is there and empty");
    const start = source === "" || source.endsWith("\n") ? "" : "\n";
    return [{ at: source.length, text: `${start}routes:\n${lines.map(blockLine).join("")}` }];
  }
  if (!isSeq(routes)) throw uneditable("routes is no list");
  if (routes.flow === true) {
    const last = routes.items.at(-1);
    if (last !== undefined) return [{ at: endOf(last), text: `, ${lines.join(", ")}` }];
    return [{ at: startOf(routes) + 1, text: ` ${lines.join(", ")} ` }];
  }
  const { at, indent } = blockEnd(source, routes);
  return [{ at, text: lines.map((line) => `\n${indent}- ${line}`).join("") }];
}

function blockLine(line: string): string {
  return `  - ${line}\n`;
}

/** Behind the line on which a list in block form ends, and how its items are indented. */
function blockEnd(
  source: string,
  list: YAMLSeq | YAMLMap,
): { readonly at: number; readonly indent: string } {
  const first = startOf(list.items[0]);
  const [, indent] =
    /^( *)- *$/.exec(source.slice(source.lastIndexOf("\n", first) + 1, first)) ?? [];
  if (indent === undefined) throw uneditable("a list is written in an unusual way");
  const end = source.indexOf("\n", lastCharacter(source, endOf(list.items.at(-1))));
  return { at: end === -1 ? source.length : end, indent };
}

/** The ranges of blocks end behind their line. */
function lastCharacter(source: string, end: number): number {
  let at = end;
  while (at > 0 && /\s/.test(source.charAt(at - 1))) at--;
  return at;
}

function startOf(node: unknown): number {
  return rangeOf(node)[0];
}

function endOf(node: unknown): number {
  return rangeOf(node)[1];
}

function rangeOf(node: unknown): readonly [number, number] {
  const { range } = (node ?? {}) as Partial<Node>;
  if (range === undefined || range === null) throw uneditable("a part of it stands nowhere");
  return [range[0], range[1]];
}

/** The error of a file that only people can edit. */
export function uneditable(what: string): BonafideError {
  const message = `the file of routes has to be edited by hand: ${what}`;
  return new BonafideError(CLI_ERRORS, "AUTHZ_ROUTES_UNEDITABLE", message);
}
