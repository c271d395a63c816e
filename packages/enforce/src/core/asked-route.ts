import {
  ACTIONS,
  type ActionName,
  type RouteDeclaration,
  RouteTable,
  type ServiceDeclaration,
} from "@bonafide/authz";

const EVERY = ACTIONS.Route;
const PARAMETER = /^\{.*\}$/;

/** Paths that look like declared ones to a reader that is less exact than we are. */
export class NearRoutes {
  readonly #exact: RouteTable;
  readonly #near: RouteTable;
  readonly #shapes: ReadonlySet<string>;

  constructor({ name, routes }: Pick<ServiceDeclaration, "name" | "routes">) {
    const all = (fold: (path: string) => string): RouteDeclaration[] => {
      const byShape = new Map(
        routes.map((route) => [
          shapeOf(fold(route.path)),
          { ...route, path: fold(route.path), actions: EVERY },
        ]),
      );
      return [...byShape.values()];
    };
    this.#exact = new RouteTable({ name, routes: all((path) => path) });
    this.#near = new RouteTable({ name, routes: all(foldTemplate) });
    this.#shapes = new Set(routes.map(({ path }) => shapeOf(path)));
  }

  /**
   * Whether a path that is not declared for this action would be a declared one if case and dots at the end of segments
   * did not count. Routers of frameworks read so; a rule about the declared route must not be passed by spelling.
   */
  isLookAlike(action: ActionName, path: string): boolean {
    if (this.#exact.match(action, path).route !== undefined) return false;
    try {
      return this.#near.match(action, foldPath(path)).route !== undefined;
    } catch {
      // What is left after folding is no path that anybody declares.
      return true;
    }
  }

  /**
   * Whether the route that a framework's router found can be the one that is decided about, whatever the method.
   *
   * @param routed  Template of the framework, parameters as `{name}`, without the leading slash.
   */
  agrees(routed: string, action: ActionName, path: string): boolean {
    const declared = this.#exact.match(action, path).route;
    if (routed.includes("*")) {
      // A catch-all reads the path by itself; what stands before must not contradict.
      const head = shapeOf(routed.slice(0, routed.indexOf("*")));
      return declared === undefined || shapeOf(declared.path).startsWith(head);
    }
    if (declared === undefined) return !this.#shapes.has(shapeOf(routed));
    return shapeOf(routed) === shapeOf(declared.path);
  }
}

function foldPath(path: string): string {
  const decoded = path.split("/").map((segment) => {
    const text = decodeURIComponent(segment)
      .toLowerCase()
      .replace(/[. ]+$/, "");
    return encodeURIComponent(text);
  });
  return decoded.join("/");
}

/** As {@link foldPath}, on the segments that are no parameters. */
function foldTemplate(path: string): string {
  return path
    .split("/")
    .map((segment) =>
      PARAMETER.test(segment) ? segment : segment.toLowerCase().replace(/[. ]+$/, ""),
    )
    .join("/");
}

function shapeOf(path: string): string {
  return path
    .split("/")
    .map((segment) => (PARAMETER.test(segment) ? "{}" : segment))
    .join("/");
}
