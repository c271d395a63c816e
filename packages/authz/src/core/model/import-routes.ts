import { BonafideError } from "@bonafide/errors";
import { AUTHZ_ERRORS } from "../../errors.ts";
import { MODEL_FILE_CHARACTERS_MAX, ROUTES_PER_FILE_MAX } from "../../limits.ts";
import { isJsonArray, isJsonObject } from "../engine/json.ts";
import { isActionName } from "./entity-names.ts";
import type { RouteDeclaration } from "./model.ts";

/**
 * Reads routes from an OpenAPI 3 document, already parsed. Tags become tags in lower case with dashes; an operation
 * whose path has a parameter within a segment is refused, since no template of ours says that.
 *
 * @throws MODEL_INVALID  no OpenAPI document, or a path that cannot be a route
 */
export function routesOfOpenApi(document: unknown): readonly RouteDeclaration[] {
  const paths = isJsonObject(document) ? document["paths"] : undefined;
  if (!isJsonObject(paths)) throw invalid("no paths in the OpenAPI document");
  return bounded(
    Object.entries(paths).flatMap(([path, item]) => {
      if (!isJsonObject(item)) return [];
      const operations = Object.entries(item).flatMap(([method, operation]) => {
        const action = `http.${method.toUpperCase()}`;
        return isActionName(action) && isJsonObject(operation) ? [{ action, operation }] : [];
      });
      if (operations.length === 0) return [];
      const bare = path.replace(/^\//, "");
      if (!bare.split("/").every((segment) => /^(?:[^{}]+|\{[a-zA-Z0-9_.-]+\})$/.test(segment))) {
        throw invalid(`${path.slice(0, 200)} cannot be a route`);
      }
      const tags = operations.flatMap(({ operation }) =>
        isJsonArray(operation["tags"]) ? operation["tags"].filter(isText) : [],
      );
      return [
        {
          path: bare,
          actions: operations.map(({ action }) => action),
          tags: [...new Set(tags.map(tagOf))],
          subject: "optional" as const,
        },
      ];
    }),
  );
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

/** Words and brackets; comments and strings are dropped. */
function tokensOf(source: string): readonly string[] {
  const pattern =
    /\/\/[^\n]*|\/\*[^]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|[\w.]+|[{}();=]/g;
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

function bounded(routes: readonly RouteDeclaration[]): readonly RouteDeclaration[] {
  if (routes.length > ROUTES_PER_FILE_MAX) throw invalid("too many routes in one file");
  return routes;
}

function invalid(message: string): BonafideError {
  return new BonafideError(AUTHZ_ERRORS, "MODEL_INVALID", message);
}
