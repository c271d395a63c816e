import { BonafideError } from "@bonafide/errors";
import { AUTHZ_ERRORS } from "../errors.ts";
import { type AppRoutes, RouteCollector } from "./app-routes.ts";

/**
 * Reads the methods of a grpc-js server to which services were added, or of service definitions.
 *
 * @param app  A server, or definitions as `addService` takes them.
 * @throws MODEL_INVALID  none of these, or without a method
 */
export function routesOfGrpc(app: object): AppRoutes {
  const collector = new RouteCollector();
  const handlers: unknown = Reflect.get(app, "handlers");
  const paths =
    handlers instanceof Map
      ? [...handlers.keys()]
      : Object.values(app).map((method: unknown) =>
          typeof method === "object" && method !== null ? Reflect.get(method, "path") : undefined,
        );
  for (const path of paths) {
    if (typeof path === "string" && METHOD.test(path)) collector.addGrpc(path);
    else throw new BonafideError(AUTHZ_ERRORS, "MODEL_INVALID", "no gRPC methods");
  }
  const result = collector.result();
  if (result.routes.length > 0) return result;
  throw new BonafideError(AUTHZ_ERRORS, "MODEL_INVALID", "no gRPC methods");
}

const METHOD = /^\/[a-zA-Z_][a-zA-Z0-9_.]*\/[a-zA-Z_][a-zA-Z0-9_]*$/;
