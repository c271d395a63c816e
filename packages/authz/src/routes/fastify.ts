import { type AppRoutes, RouteCollector } from "./app-routes.ts";

/** The part of a Fastify instance that is used. */
export interface FastifyLike {
  addHook(
    name: "onRoute",
    hook: (route: { readonly method: string | string[]; readonly url: string }) => void,
  ): unknown;
}

/**
 * Watches the routes of a Fastify instance as they are added, those of plugins too: call it before any route is added,
 * and what it returns once the instance is ready. Fastify adds the HEAD of each GET itself.
 */
export function watchFastifyRoutes(app: FastifyLike): () => AppRoutes {
  const collector = new RouteCollector();
  app.addHook("onRoute", ({ method, url }) => {
    collector.addHttp(url, typeof method === "string" ? [method] : method);
  });
  return () => collector.result();
}
