import {
  ACTIONS,
  type ActionName,
  type RouteDeclaration,
  RouteTable,
  type ServiceDeclaration,
} from "@bonafide/authz";

const EVERY = ACTIONS.Route;
/** Tables whose routes have {@link EVERY} action answer the same for each. */
const ANY: ActionName = "http.GET";
const PARAMETER = /^\{.*\}$/;

/** Paths that look like declared ones to a reader that is less exact than we are. */
export class NearRoutes {
  readonly #exact: RouteTable;
  readonly #near: RouteTable;
  readonly #shapes: ReadonlySet<string>;

  constructor({ name, routes }: Pick<ServiceDeclaration, "name" | "routes">) {
    const all = (as: (path: string) => string): RouteDeclaration[] => {
      const byShape = new Map(
        routes.map((route) => [
          shapeOf(as(route.path)),
          { ...route, path: as(route.path), actions: EVERY },
        ]),
      );
      return [...byShape.values()];
    };
    this.#exact = new RouteTable({ name, routes: all((path) => path) });
    this.#near = new RouteTable({ name, routes: all(foldTemplate) });
    this.#shapes = new Set(routes.map(({ path }) => shapeOf(path)));
  }

  /**
   * Whether a path would be another declared one if case and dots at the end of segments did not count, whatever the
   * method. Routers of frameworks read so; a rule about a declared route must not be passed by spelling, also where a
   * parameter beside it takes the spelling for a value.
   */
  isLookAlike(path: string): boolean {
    const exact = this.#exact.match(ANY, path).route;
    const folded = path.slice(1).split("/").map(decodeURIComponent).map(fold);
    // What is left after folding is no path: at most the value of a parameter.
    if (path !== "/" && folded.includes("")) return exact === undefined;
    const near = this.#near.find(ANY, folded);
    if (near === undefined) return false;
    return exact === undefined || shapeOf(foldTemplate(exact.path)) !== shapeOf(near.path);
  }

  /**
   * Whether the route that a framework's router found can be the one that is decided about.
   *
   * @param routed  Template of the framework, parameters as `{name}`, without the leading slash; `*` where it takes all.
   * @param route   What is decided about; `undefined`: no declared route, and then none of another method either.
   */
  agrees(routed: string, path: string, route: RouteDeclaration | undefined): boolean {
    const declared = route ?? this.#exact.match(ANY, path).route;
    if (routed.includes("*")) {
      // A catch-all reads the path by itself; what stands before must not contradict.
      const head = shapeOf(routed.slice(0, routed.indexOf("*")));
      return declared === undefined || shapeOf(declared.path).startsWith(head);
    }
    if (declared === undefined) return !this.#shapes.has(shapeOf(routed));
    return shapeOf(routed) === shapeOf(declared.path);
  }
}

/** A segment without what some reader leaves out: case, compatible forms of a letter, dots and spaces at its end. */
function fold(segment: string): string {
  return segment
    .normalize("NFKC")
    .toUpperCase()
    .toLowerCase()
    .replace(/[. ]+$/, "");
}

/** As {@link fold}, on the segments that are no parameters. */
function foldTemplate(path: string): string {
  return path
    .split("/")
    .map((segment) => (PARAMETER.test(segment) ? segment : fold(segment)))
    .join("/");
}

function shapeOf(path: string): string {
  return path
    .split("/")
    .map((segment) => (PARAMETER.test(segment) ? "{}" : segment))
    .join("/");
}
