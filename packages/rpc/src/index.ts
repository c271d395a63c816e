export { addService } from "./add-service.ts";
export {
  type CallContext,
  type CallOptions,
  type Client,
  type Handlers,
  type IncomingCall,
} from "./call-types.ts";
export { Channel, type ChannelOptions, openChannel, openUnixChannel } from "./channel.ts";
export { encode, Encoded } from "./codec.ts";
export { type Connection } from "./connection.ts";
export { createClient } from "./create-client.ts";
export { addHealth, HealthRegistry, type ServingStatus } from "./health.ts";
export { logLevelCalls, type LogLevelCalls, type LogLevelCallsOptions } from "./log-level-calls.ts";
export { addReflection } from "./reflection.ts";
export { detail, renderStatus, type StatusExtra, withStatus } from "./render-status.ts";
export { STATUS_CODES } from "./status.ts";
export { RPC_ERRORS, RpcError, type RpcErrorCode } from "./rpc-errors.ts";
export {
  type CallReport,
  openServer,
  RPC_SERVER_ERRORS,
  RpcServer,
  type RpcServerOptions,
} from "./rpc-server.ts";
