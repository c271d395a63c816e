import { BonafideError } from "@bonafide/errors";
import type { Log, LogLevel, LogLevelSwitch } from "@bonafide/lifetime";
import type { Logger } from "@bonafide/proto/spire/api/agent/logger/v1/logger_pb";
import { type Logger as WireLogger, LoggerSchema } from "@bonafide/proto/spire/api/types/logger_pb";
import { type CallContext, type Handlers, logLevelOfWire, logLevelToWire } from "@bonafide/rpc";
import type { UnixConnection } from "@bonafide/unix-peer";
import { create } from "@bufbuild/protobuf";
import { AGENT_ERRORS } from "../errors.ts";

/** spire.api.agent.logger.v1.Logger: how much the running agent writes to its log. */
export function agentLoggerHandlers(
  levels: LogLevelSwitch,
  log: Log,
): Handlers<typeof Logger, UnixConnection> {
  const state = (): WireLogger =>
    create(LoggerSchema, {
      currentLevel: logLevelToWire(levels.current),
      launchLevel: logLevelToWire(levels.launched),
    });
  const set = (level: LogLevel, { peer }: CallContext<UnixConnection>): WireLogger => {
    const fields = { from: levels.current, to: level, uid: peer.caller().uid };
    const say = (): void => {
      log({ level: "warn", event: "log.level_set", fields });
    };
    // Said while the louder of both holds: who silences a log is seen in it.
    const isQuieter = logLevelToWire(level) < logLevelToWire(levels.current);
    if (isQuieter) say();
    levels.set(level);
    if (!isQuieter) say();
    return state();
  };
  return {
    getLogger: state,
    setLogLevel({ newLevel }, context) {
      const level = logLevelOfWire(newLevel);
      if (level === undefined) {
        throw new BonafideError(AGENT_ERRORS, "REQUEST_INVALID", "new_level is no log level");
      }
      return set(level, context);
    },
    resetLogLevel: (_request, context) => set(levels.launched, context),
  };
}
