import { BonafideError } from "@bonafide/errors";
import type { Log, LogLevelSwitch } from "@bonafide/lifetime";
import type { Logger } from "@bonafide/proto/spire/api/server/logger/v1/logger_pb";
import { type Handlers, logLevelCalls } from "@bonafide/rpc";
import { SERVER_ERRORS } from "../errors.ts";
import type { ServerPeer } from "../port/server-peer.ts";

/** spire.api.server.logger.v1.Logger: how much the running server writes to its log. */
export function loggerHandlers(
  levels: LogLevelSwitch,
  log: Log,
): Handlers<typeof Logger, ServerPeer> {
  return logLevelCalls(levels, log, {
    callerOf: (peer: ServerPeer) => (peer.kind === "local" ? { uid: peer.uid } : {}),
    refusal: (message) => new BonafideError(SERVER_ERRORS, "REQUEST_INVALID", message),
  });
}
