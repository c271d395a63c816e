import { BonafideError } from "@bonafide/errors";
import { AUTHZ_ERRORS } from "../../errors.ts";
import { PATH_CHARACTERS_MAX } from "../../limits.ts";
import type { EntityUid } from "../engine/values.ts";
import { type ActionName, entityOf } from "./entity-names.ts";
import { type RouteDeclaration, type ServiceDeclaration, UNDECLARED } from "./model.ts";

/** What a request is about. */
export interface MatchedRoute {
  readonly resource: EntityUid;
  /** The declared route; `undefined` if it is none, and then the resource is `service/?`. To be counted. */
  readonly route: RouteDeclaration | undefined;
}

interface Node {
  readonly literals: Map<string, Node>;
  parameter: Node | undefined;
  route: RouteDeclaration | undefined;
}

/** The declared routes of one service, found by the path of a request. */
export class RouteTable {
  readonly #service: string;
  readonly #root: Node = emptyNode();

  /** @throws MODEL_INVALID  two routes that differ by the names of their parameters only */
  constructor({ name, routes }: Pick<ServiceDeclaration, "name" | "routes">) {
    this.#service = name;
    for (const route of routes) this.#add(route);
  }

  /**
   * Finds what a request is about: of the routes that have the action, a literal segment wins over a parameter. A route
   * without the action hides none, since routers look for one that has it, too.
   *
   * @param path  As it came, with its leading slash and without query: `/v1/refunds/7`, `/pay.v1.Payments/Refund`.
   * @throws AUTHZ_REQUEST_INVALID  a path that two programs could read in two ways: empty or dot segments, encoded
   *   slashes, backslashes, control characters, what is not ASCII and not encoded, broken or doubled percent encoding, a
   *   declared literal written with percent signs (some routers decode first, some never), more than 8,192 characters;
   *   and a HEAD of a declared GET that is not declared itself
   */
  match(action: ActionName, path: string): MatchedRoute {
    const segments = readPath(path);
    const route = find(this.#root, action, segments);
    if (action === "http.HEAD" && isTakenForGet(this.#root, segments, route))
      throw undeclaredHead();
    if (route === undefined) {
      return { resource: entityOf("Route", `${this.#service}/${UNDECLARED}`), route: undefined };
    }
    return { resource: entityOf("Route", `${this.#service}/${route.path}`), route };
  }

  /** The declared route of segments that are decoded already, whatever they were spelled like. */
  find(action: ActionName, segments: readonly string[]): RouteDeclaration | undefined {
    return find(
      this.#root,
      action,
      segments.map((text) => ({ text, isPlain: true })),
    );
  }

  #add(route: RouteDeclaration): void {
    let node = this.#root;
    for (const segment of route.path.split("/")) {
      if (isParameter(segment)) node = node.parameter ??= emptyNode();
      else {
        const next = node.literals.get(segment) ?? emptyNode();
        node.literals.set(segment, next);
        node = next;
      }
    }
    if (node.route !== undefined) {
      const message = `${node.route.path} and ${route.path} of ${this.#service} are one route`;
      throw new BonafideError(AUTHZ_ERRORS, "MODEL_INVALID", message);
    }
    node.route = route;
  }
}

/** Whether a segment of a template stands for any one segment. */
export function isParameter(segment: string): boolean {
  return /^\{[a-zA-Z0-9_.-]+\}$/.test(segment);
}

/** A segment of a path as it is meant, and whether it came just so. */
interface Segment {
  readonly text: string;
  readonly isPlain: boolean;
}

/** Visits each node of the table once at most, however often it turns back. */
function find(
  node: Node,
  action: ActionName,
  segments: readonly Segment[],
  at = 0,
): RouteDeclaration | undefined {
  const segment = segments[at];
  if (segment === undefined) return node.route?.actions.includes(action) ? node.route : undefined;
  const literal = node.literals.get(segment.text);
  // Who decodes before looking for a route finds the literal, who decodes values only takes it for one.
  if (literal !== undefined && !segment.isPlain) throw ambiguous();
  const found = literal && find(literal, action, segments, at + 1);
  return found ?? (node.parameter && find(node.parameter, action, segments, at + 1));
}

/** Whether frameworks would answer a HEAD by a GET that is another route: rules about the GET would not be asked. */
function isTakenForGet(
  root: Node,
  segments: readonly Segment[],
  head: RouteDeclaration | undefined,
): boolean {
  const get = find(root, "http.GET", segments);
  return get !== undefined && get !== head;
}

function readPath(path: string): readonly Segment[] {
  if (path.length > PATH_CHARACTERS_MAX || !/^\/[!-~]*$/.test(path)) throw ambiguous();
  // The root is no declared route, but there is only one way to read it.
  if (path === "/") return [];
  return path.slice(1).split("/").map(readSegment);
}

function readSegment(segment: string): Segment {
  let text: string;
  try {
    text = decodeURIComponent(segment);
  } catch (error) {
    throw ambiguous(error);
  }
  // What is left of a percent sign would be decoded once more by somebody else.
  if (/^\.{0,2}$/.test(text) || /[\\/%?#;\p{Cc}]/u.test(text)) throw ambiguous();
  return { text, isPlain: text === segment };
}

function emptyNode(): Node {
  return { literals: new Map(), parameter: undefined, route: undefined };
}

function undeclaredHead(): BonafideError {
  const message = "a HEAD that is answered by a declared GET has to be declared beside it";
  return new BonafideError(AUTHZ_ERRORS, "AUTHZ_REQUEST_INVALID", message);
}

function ambiguous(cause?: unknown): BonafideError {
  return new BonafideError(AUTHZ_ERRORS, "AUTHZ_REQUEST_INVALID", "the path is ambiguous", {
    cause,
  });
}
