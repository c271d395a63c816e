export type { SkippedRoute } from "../core/model/import-routes.ts";
export { type AppRoutes, renderRoutesFile } from "./app-routes.ts";
export { type ExpressRoutesOptions, routesOfExpress } from "./express.ts";
export { type FastifyLike, watchFastifyRoutes } from "./fastify.ts";
export { routesOfGrpc } from "./grpc.ts";
