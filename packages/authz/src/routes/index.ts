export { type AppRoutes, renderRoutesFile, type SkippedRoute } from "./app-routes.ts";
export { type ExpressRoutesOptions, routesOfExpress } from "./express.ts";
export { type FastifyLike, watchFastifyRoutes } from "./fastify.ts";
export { routesOfGrpc } from "./grpc.ts";
