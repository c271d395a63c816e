import { BonafideError } from "@bonafide/errors";
import { isJsonArray, isJsonObject } from "../core/engine/json.ts";
import { ACTIONS } from "../core/model/entity-names.ts";
import { AUTHZ_ERRORS } from "../errors.ts";
import { type AppRoutes, RouteCollector } from "./app-routes.ts";

/** What a program knows that Express does not keep. */
export interface ExpressRoutesOptions {
  /** Paths of mounted routers; needed for those not at `/` where Express is older than 5.3. */
  readonly mounts?: ReadonlyMap<unknown, string>;
}

/** Deepest nesting of routers. */
const DEPTH_MAX = 32;
const ALL_METHODS = ACTIONS.Route.filter((name) => name.startsWith("http.")).map((name) =>
  name.slice("http.".length),
);

/**
 * Reads the routes of an Express application (4 or 5), those of mounted routers too. Mounted applications and patterns that are no templates
 * (wildcards, optional parts, regular expressions) are skipped. HEAD, which Express answers by GET, is not added.
 *
 * @param app  As it stands after all routes were added.
 * @throws MODEL_INVALID  no Express application
 */
export function routesOfExpress(app: unknown, options: ExpressRoutesOptions = {}): AppRoutes {
  const collector = new RouteCollector();
  const stack = stackOf(routerOf(app));
  if (stack === undefined) {
    throw new BonafideError(AUTHZ_ERRORS, "MODEL_INVALID", "no Express application");
  }
  walk(stack, "", { collector, mounts: options.mounts ?? new Map(), depth: 0 });
  return collector.result();
}

interface Walk {
  readonly collector: RouteCollector;
  readonly mounts: ReadonlyMap<unknown, string>;
  readonly depth: number;
}

function walk(stack: readonly unknown[], prefix: string, at: Walk): void {
  for (const layer of stack) {
    const route = property(layer, "route");
    if (route !== undefined && route !== null) {
      addRoute(route, prefix, at.collector);
      continue;
    }
    const handle = property(layer, "handle");
    const inner = stackOf(handle);
    if (inner === undefined) {
      // Express hides an application within another behind a function of this name.
      if (property(layer, "name") === "mounted_app") {
        const path = `${prefix}${mountsOf(layer, handle, at.mounts)?.join() ?? "/..."}`;
        at.collector.skip(path, "is an application of its own; read its routes by themselves");
      }
      continue;
    }
    const mounts = mountsOf(layer, handle, at.mounts);
    if (mounts === undefined || at.depth >= DEPTH_MAX) {
      at.collector.skip(`${prefix}/...`, "is a router whose path is not kept; give it in mounts");
      continue;
    }
    for (const mount of mounts) {
      walk(inner, prefix + mount.replace(/\/$/, ""), { ...at, depth: at.depth + 1 });
    }
  }
}

function addRoute(route: unknown, prefix: string, collector: RouteCollector): void {
  const path = property(route, "path");
  const methods = property(route, "methods");
  const names = isJsonObject(methods) ? Object.keys(methods) : [];
  for (const one of isJsonArray(path) ? path : [path]) {
    if (typeof one === "string") {
      collector.addHttp(`${prefix}${one}`, names.includes("_all") ? ALL_METHODS : names);
    } else collector.skip(`${prefix}/${String(one)}`, "is a pattern, not a path");
  }
}

/** Where a router is mounted; `undefined` if nobody knows. */
function mountsOf(
  layer: unknown,
  handle: unknown,
  mounts: ReadonlyMap<unknown, string>,
): readonly string[] | undefined {
  const given = mounts.get(handle);
  if (given !== undefined) return [given];
  const raw = property(layer, "rawPath");
  const paths = isJsonArray(raw) ? raw : [raw];
  if (raw !== undefined && paths.every((path) => typeof path === "string")) return paths;
  const isRoot =
    property(layer, "slash") === true || property(property(layer, "regexp"), "fast_slash") === true;
  return isRoot ? [""] : undefined;
}

/** Express 4 keeps its router in `_router`, and throws at `router`. */
function routerOf(app: unknown): unknown {
  return property(app, "_router") ?? property(app, "router");
}

function stackOf(router: unknown): readonly unknown[] | undefined {
  const stack = property(router, "stack");
  return isJsonArray(stack) ? stack : undefined;
}

/** A property of an object or function that may be anything. */
function property(of: unknown, name: string): unknown {
  const isThing = (typeof of === "object" && of !== null) || typeof of === "function";
  if (!isThing) return undefined;
  try {
    return Reflect.get(of, name);
  } catch {
    // A getter that refuses has nothing for us.
    return undefined;
  }
}
