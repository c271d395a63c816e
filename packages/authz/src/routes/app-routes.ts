import { isHttpTemplate } from "../core/folder/read-routes.ts";
import { type ActionName, ACTIONS, isActionName } from "../core/model/entity-names.ts";
import type { SkippedRoute } from "../core/model/import-routes.ts";
import type { RouteDeclaration } from "../core/model/model.ts";
import { ROUTES_PER_FILE_MAX } from "../limits.ts";

/** The routes of a running program. */
export interface AppRoutes {
  readonly routes: readonly RouteDeclaration[];
  readonly skipped: readonly SkippedRoute[];
}

/** Collects routes one by one, and joins the methods of one path. */
export class RouteCollector {
  readonly #actions = new Map<string, Set<ActionName>>();
  readonly #skipped = new Map<string, string>();

  /** Adds a path as frameworks write it, `/v1/refunds/:id`, with methods in any case. */
  addHttp(path: string, methods: readonly string[]): void {
    const template = templateOf(path);
    if (template === undefined) {
      return this.skip(path, "only whole segments can be parameters, and no path is empty");
    }
    const names = methods.map((method) => `http.${method.toUpperCase()}`);
    const actions = names.filter(isAction);
    if (actions.length < names.length) this.skip(path, "has methods that are no actions");
    if (actions.length > 0) this.#add(template, actions);
    return undefined;
  }

  /** Adds a gRPC method by its path, `/package.Service/Method`. */
  addGrpc(path: string): void {
    this.#add(path.replace(/^\//, ""), ["grpc.call"]);
  }

  /** Notes a route that cannot be declared. */
  skip(path: string, reason: string): void {
    this.#skipped.set(path, reason);
  }

  /** All that was added, in the order of paths. */
  result(): AppRoutes {
    const routes = [...this.#actions]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([path, actions]) => ({
        path,
        actions: [...actions],
        tags: [],
        subject: "optional" as const,
      }));
    const skipped = [...this.#skipped].map(([path, reason]) => ({ path, reason }));
    return { routes, skipped };
  }

  #add(path: string, actions: readonly ActionName[]): void {
    const known = this.#actions.get(path) ?? new Set();
    if (known.size === 0 && this.#actions.size >= ROUTES_PER_FILE_MAX) {
      return this.skip(path, "is one route too many");
    }
    for (const action of actions) known.add(action);
    this.#actions.set(path, known);
    return undefined;
  }
}

/** `/v1/refunds/:id` as `v1/refunds/{id}`; `undefined` for anything that a template does not say exactly. */
function templateOf(path: string): string | undefined {
  const segments = path.replace(/^\//, "").replace(/\/$/, "").split("/");
  const parts = segments.map((segment) => {
    const [, name] = /^:([a-zA-Z0-9_]+)$/.exec(segment) ?? [];
    if (name !== undefined) return `{${name}}`;
    return /[:*?+(){}[\]!\\]/.test(segment) ? undefined : segment;
  });
  const template = parts.includes(undefined) ? "" : parts.join("/");
  return isHttpTemplate(template) ? template : undefined;
}

function isAction(name: string): name is (typeof ACTIONS.Route)[number] {
  return isActionName(name);
}

/**
 * Writes the routes of a program as a file for `teams/TEAM/routes/`. Tags and subjects are the owner's to add: a program
 * does not know them.
 */
export function renderRoutesFile(service: string, { routes, skipped }: AppRoutes): string {
  const lines = routes.map(({ path, actions }) => {
    if (actions.includes("grpc.call")) return `  - { grpc: ${JSON.stringify(path)} }`;
    const methods = actions.map((name) => name.replace(/^http\./, "")).join(", ");
    return `  - { path: ${JSON.stringify(`/${path}`)}, methods: [${methods}] }`;
  });
  const notes = skipped.map(
    ({ path, reason }) => `# not declared: ${JSON.stringify(path)} ${reason}`,
  );
  const list = lines.length === 0 ? ["routes: []"] : ["routes:", ...lines];
  return `${[`service: ${JSON.stringify(service)}`, ...list, ...notes].join("\n")}\n`;
}
