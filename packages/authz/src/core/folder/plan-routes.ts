import type { RouteDeclaration, ServiceDeclaration } from "../model/model.ts";
import { isParameter } from "../model/route-table.ts";

/** A declared route that lacks actions. */
export interface WidenedRoute {
  /** As the folder writes it. */
  readonly path: string;
  /** Those that are new. */
  readonly actions: RouteDeclaration["actions"];
}

/** What has to be written so that all imported routes are declared. */
export interface RoutesPlan {
  readonly added: readonly RouteDeclaration[];
  readonly widened: readonly WidenedRoute[];
  /** Declared and not imported, of the kinds that were imported; for people to judge. */
  readonly others: readonly RouteDeclaration[];
}

/**
 * Compares imported routes with those that a service declares. Two templates that differ by the names of their
 * parameters are one route; what people wrote about it (names, tags, subject) stays.
 */
export function planRoutes(
  { routes }: Pick<ServiceDeclaration, "routes">,
  imported: readonly RouteDeclaration[],
): RoutesPlan {
  const declared = new Map(routes.map((route) => [shapeOf(route.path), route]));
  const wanted = new Map<string, RouteDeclaration>();
  for (const route of imported) {
    const shape = shapeOf(route.path);
    const before = wanted.get(shape);
    wanted.set(shape, {
      ...(before ?? route),
      actions: [...new Set([...(before?.actions ?? []), ...route.actions])],
      tags: [...new Set([...(before?.tags ?? []), ...route.tags])],
    });
  }
  const widened = [...wanted].flatMap(([shape, { actions }]) => {
    const own = declared.get(shape);
    const missing = own === undefined ? [] : actions.filter((name) => !own.actions.includes(name));
    return own === undefined || missing.length === 0 ? [] : [{ path: own.path, actions: missing }];
  });
  const kinds = new Set(imported.map(isGrpc));
  return {
    added: [...wanted].flatMap(([shape, route]) => (declared.has(shape) ? [] : [route])),
    widened,
    others: routes.filter((route) => !wanted.has(shapeOf(route.path)) && kinds.has(isGrpc(route))),
  };
}

function isGrpc({ actions }: RouteDeclaration): boolean {
  return actions.includes("grpc.call");
}

function shapeOf(path: string): string {
  return path
    .split("/")
    .map((segment) => (isParameter(segment) ? "{}" : segment))
    .join("/");
}
