import { BonafideError } from "@bonafide/errors";
import type { Log, LogLevelSwitch } from "@bonafide/lifetime";
import type { Logger } from "@bonafide/proto/spire/api/agent/logger/v1/logger_pb";
import { type Handlers, logLevelCalls } from "@bonafide/rpc";
import type { UnixConnection } from "@bonafide/unix-peer";
import { AGENT_ERRORS } from "../errors.ts";

/** spire.api.agent.logger.v1.Logger: how much the running agent writes to its log. */
export function agentLoggerHandlers(
  levels: LogLevelSwitch,
  log: Log,
): Handlers<typeof Logger, UnixConnection> {
  return logLevelCalls(levels, log, {
    callerOf: (peer: UnixConnection) => ({ uid: peer.caller().uid }),
    refusal: (message) => new BonafideError(AGENT_ERRORS, "REQUEST_INVALID", message),
  });
}
