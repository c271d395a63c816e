export { type CountedEdge, type Edge, type EdgeReport } from "./core/edge-counters.ts";
export { type Asked } from "./core/judge.ts";
export { type RecordReport } from "./core/record-ring.ts";
export { type Grant, type VerifiedUser } from "./core/verified-user.ts";
export { userOfClaims } from "./core/user-of-claims.ts";
export { authorizeConnections } from "./connections.ts";
export {
  type Answer,
  type BundleSource,
  type Call,
  denialOf,
  Enforcer,
  type EnforcerOptions,
} from "./enforcer.ts";
export { ENFORCE_ERRORS, type EnforceErrorCode } from "./errors.ts";
export { authorizeExpress, type ExpressMiddleware, type ExpressRequest } from "./express.ts";
export {
  authorizeFastify,
  type FastifyHook,
  type FastifyReplyLike,
  type FastifyRequestLike,
} from "./fastify.ts";
export { authorizeGrpc, type GrpcAuthorizeOptions } from "./grpc.ts";
export { answerOf, authorizeHttp, type HttpAuthorizeOptions } from "./http.ts";
