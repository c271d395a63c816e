/** Deepest nesting of routers. */
const DEPTH_MAX = 32;

/** No template: nothing that is declared agrees with it. */
const NOBODY_KNOWS = "?{}?";

/**
 * The routes that an application of Express, 4 or 5, will take for a request, found as its own router finds them: those
 * that take all below a prefix, in their order, and the first that does not. Middleware is none.
 *
 * @param app   `request.app`; of an application that is mounted in another one, the outermost is asked.
 * @param path  Of the request, without query.
 * @returns Templates, parameters as `{parameter}`, a rest as `*`, without the leading slash.
 */
export function routesTaken(app: unknown, method: string, path: string): readonly string[] {
  const [outermost, ...inside] = applicationsOf(app);
  const search: Search = { method, inside, found: [], isOver: false };
  try {
    look(search, stackOf(routerOf(outermost)) ?? [], { path, prefix: "", depth: 0 });
  } catch {
    // A parameter that cannot be decoded ends the request in Express, too.
    return [NOBODY_KNOWS];
  }
  return search.found.map((template) => template.replaceAll(/^\/+|\/+$/g, ""));
}

interface Search {
  readonly method: string;
  /** The mounted applications that are on their way to the one that asks, and were not met yet. */
  readonly inside: unknown[];
  readonly found: string[];
  isOver: boolean;
}

interface Place {
  /** What of the path is left to be matched. */
  readonly path: string;
  /** The template of what was matched. */
  readonly prefix: string;
  readonly depth: number;
}

function look(search: Search, stack: readonly unknown[], at: Place): void {
  for (const layer of stack) {
    if (search.isOver) return;
    const match = matchOf(layer, at.path);
    if (match === undefined) continue;
    const route = property(layer, "route");
    if (typeof route === "object" && route !== null) {
      if (!takes(route, search.method)) continue;
      const template = templateOf(match, property(route, "path"));
      search.found.push(at.prefix + template);
      search.isOver = !template.endsWith("*");
    } else lookInside(search, layer, { match, at });
  }
}

/** What `use` was given: a router, an application of its own, or a function that is no route. */
function lookInside(
  search: Search,
  layer: unknown,
  { match, at }: { readonly match: Match; readonly at: Place },
): void {
  const isApplication = property(layer, "name") === "mounted_app";
  const router = isApplication ? routerOf(mounted(search, match)) : property(layer, "handle");
  const stack = stackOf(router);
  if (stack === undefined && !isApplication) return;
  const { path, depth } = at;
  const rest = path.slice(match.path.length).replace(/^(?!\/)/, "/");
  // A prefix that is no template may have named anything.
  const own = match.path === "" ? "" : templateOf(match).replace(/\/$/, "");
  const prefix = at.prefix + own;
  if (stack === undefined || own.endsWith("*") || depth >= DEPTH_MAX) {
    search.found.push(own.endsWith("*") ? prefix : `${prefix}/*`);
  } else look(search, stack, { path: rest, prefix, depth: depth + 1 });
}

/** What a layer took of a path. */
interface Match {
  readonly path: string;
  /** `undefined` where this version of Express does not keep it. */
  readonly pattern: unknown;
  readonly values: readonly string[];
}

/** Express 5.3 answers with a match; older ones note it on the layer, until the next request does. */
function matchOf(layer: unknown, path: string): Match | undefined {
  const matcher = property(layer, "match");
  if (typeof layer !== "object" || typeof matcher !== "function") return undefined;
  const answer: unknown = Reflect.apply(matcher, layer, [path]);
  if (answer === undefined || answer === null || answer === false) return undefined;
  const match = answer === true ? layer : answer;
  const taken = property(match, "path");
  const params = property(match, "params");
  const values = typeof params === "object" && params !== null ? Object.values(params) : [];
  return {
    path: typeof taken === "string" ? taken : "",
    pattern: property(match, "pattern"),
    values: values.filter((value) => typeof value === "string"),
  };
}

/** HEAD is answered by a GET where there is no other; a route of another method is passed over. */
function takes(route: object, method: string): boolean {
  const methods = property(route, "methods");
  const has = (name: string): boolean => property(methods, name) === true;
  return has("_all") || has(method.toLowerCase()) || (method === "HEAD" && has("get"));
}

/**
 * `/v1/:id` as `/v1/{parameter}`; from the first segment on that says something else, `*`. Where it is not kept which
 * pattern it was, what equals the value of a parameter is taken for one.
 */
function templateOf({ path, pattern, values }: Match, declared?: unknown): string {
  const source = pattern ?? declared;
  if (source === undefined || Array.isArray(source)) {
    const isValue = (segment: string): boolean => values.includes(decodeURIComponent(segment));
    return path.replaceAll(/[^/]+/g, (segment) => (isValue(segment) ? "{parameter}" : segment));
  }
  // A regular expression.
  if (typeof source !== "string") return "/*";
  const parts: string[] = [];
  for (const segment of source.replace(/^\//, "").split("/")) {
    if (/^:[a-zA-Z0-9_]+$/.test(segment)) parts.push("{parameter}");
    else if (/[:*?+(){}[\]!\\"]/.test(segment)) return `/${[...parts, "*"].join("/")}`;
    else parts.push(segment);
  }
  return `/${parts.join("/")}`;
}

/** The application that asks after those that it is mounted in, the outermost first. */
function applicationsOf(app: unknown): unknown[] {
  const apps = [app];
  for (let depth = 0; depth < DEPTH_MAX; depth++) {
    const parent = property(apps[0], "parent");
    if (typeof parent !== "function") break;
    apps.unshift(parent);
  }
  return apps;
}

/** Express hides a mounted application; the one that we are in knows its parents, and where they were mounted. */
function mounted({ inside }: Search, { pattern }: Match): unknown {
  const [next] = inside;
  const isNext = pattern === undefined || pattern === property(next, "mountpath");
  return isNext ? inside.shift() : undefined;
}

/** Express 4 keeps its router in `_router`, and throws at `router`. */
function routerOf(app: unknown): unknown {
  return property(app, "_router") ?? property(app, "router");
}

function stackOf(router: unknown): readonly unknown[] | undefined {
  const stack = property(router, "stack");
  return Array.isArray(stack) ? stack : undefined;
}

/** A property of an object or function that may be anything. */
function property(of: unknown, name: string): unknown {
  const isThing = (typeof of === "object" && of !== null) || typeof of === "function";
  return isThing ? Reflect.get(of, name) : undefined;
}
