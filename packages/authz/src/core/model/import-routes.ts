import { BonafideError } from "@bonafide/errors";
import { AUTHZ_ERRORS } from "../../errors.ts";
import { MODEL_FILE_CHARACTERS_MAX, ROUTES_PER_FILE_MAX } from "../../limits.ts";
import { isJsonArray, isJsonObject, type JsonObject } from "../engine/json.ts";
import { isHttpTemplate } from "../folder/read-routes.ts";
import { type ActionName, isActionName } from "./entity-names.ts";
import type { RouteDeclaration } from "./model.ts";

/** A route that no declaration can say. Calls to it count as undeclared. */
export interface SkippedRoute {
  readonly path: string;
  readonly reason: string;
}

/** Routes of a document, and what of it cannot be declared. */
export interface ImportedRoutes {
  readonly routes: readonly RouteDeclaration[];
  readonly skipped: readonly SkippedRoute[];
}

/**
 * Reads routes from an OpenAPI 3 document, already parsed. Tags become tags in lower case with dashes.
 *
 * @returns Also what is no route of ours: a parameter within a segment, a reference to elsewhere.
 * @throws MODEL_INVALID  no OpenAPI document, or too many routes
 */
export function importOpenApi(document: unknown): ImportedRoutes {
  const paths = isJsonObject(document) ? document["paths"] : undefined;
  if (!isJsonObject(paths)) throw invalid("no paths in the OpenAPI document");
  const routes: RouteDeclaration[] = [];
  const skipped: SkippedRoute[] = [];
  for (const [path, item] of Object.entries(paths)) {
    const skip = (reason: string): number => skipped.push({ path: path.slice(0, 200), reason });
    // An extension of the format.
    if (path.startsWith("x-")) continue;
    if (isJsonObject(item) && "$ref" in item) {
      skip("is described elsewhere");
      continue;
    }
    const operations = operationsOf(item);
    if (operations.length === 0) continue;
    const bare = path.replace(/^\//, "");
    if (!isHttpTemplate(bare)) {
      skip("cannot be a route: whole segments are parameters, and none is empty");
      continue;
    }
    const tags = operations.flatMap(({ operation }) =>
      isJsonArray(operation["tags"]) ? operation["tags"].filter(isText).map(tagOf) : [],
    );
    const actions = operations.map(({ action }) => action);
    const own = [...new Set(tags.filter((tag) => tag !== ""))];
    routes.push({ path: bare, actions, tags: own, subject: "optional" });
  }
  return { routes: bounded(routes), skipped: bounded(skipped) };
}

/**
 * Reads routes from an OpenAPI 3 document, already parsed, that can all be declared.
 *
 * @throws MODEL_INVALID  no OpenAPI document, or a path that cannot be a route
 */
export function routesOfOpenApi(document: unknown): readonly RouteDeclaration[] {
  const { routes, skipped } = importOpenApi(document);
  const [first] = skipped;
  if (first !== undefined) throw invalid(`${first.path} ${first.reason}`);
  return routes;
}

function operationsOf(
  item: unknown,
): readonly { readonly action: ActionName; readonly operation: JsonObject }[] {
  if (!isJsonObject(item)) return [];
  return Object.entries(item).flatMap(([method, operation]) => {
    const action = `http.${method.toUpperCase()}`;
    return isActionName(action) && isJsonObject(operation) ? [{ action, operation }] : [];
  });
}

/**
 * Reads the methods of all services in a .proto file, by its text: `package.Service/Method` each.
 *
 * @throws MODEL_INVALID  too long, or too many methods
 */
export function routesOfProto(source: string): readonly RouteDeclaration[] {
  if (source.length > MODEL_FILE_CHARACTERS_MAX) throw invalid("the .proto file is too long");
  const routes: RouteDeclaration[] = [];
  let [packageName, service, depth, serviceDepth] = ["", "", 0, 0];
  const tokens = tokensOf(source);
  for (const [index, token] of tokens.entries()) {
    const [next = "", after = ""] = tokens.slice(index + 1, index + 3);
    if (token === "{") depth++;
    else if (token === "}") {
      depth--;
      if (service !== "" && depth === serviceDepth) service = "";
    } else if (token === "package" && depth === 0 && after === ";") packageName = `${next}.`;
    else if (token === "service" && depth === 0 && after === "{") {
      [service, serviceDepth] = [next, depth];
    } else if (token === "rpc" && service !== "" && depth === serviceDepth + 1 && after === "(") {
      const path = `${packageName}${service}/${next}`;
      routes.push({ path, actions: ["grpc.call"], tags: [], subject: "optional" });
    }
  }
  return bounded(routes);
}

/** Words and brackets; comments and strings are dropped. What never ends takes the rest, or each would be tried to the end. */
function tokensOf(source: string): readonly string[] {
  const pattern =
    /\/\/[^\n]*|\/\*[^]*?(?:\*\/|$)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?|[\w.]+|[{}();=]/g;
  return [...source.matchAll(pattern)].map(([token]) => token).filter((t) => !/^["'/]/.test(t));
}

function tagOf(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "");
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function bounded<T>(routes: readonly T[]): readonly T[] {
  if (routes.length > ROUTES_PER_FILE_MAX) throw invalid("too many routes in one file");
  return routes;
}

function invalid(message: string): BonafideError {
  return new BonafideError(AUTHZ_ERRORS, "MODEL_INVALID", message);
}
