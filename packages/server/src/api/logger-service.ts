import { BonafideError } from "@bonafide/errors";
import type { Log, LogLevel, LogLevelSwitch } from "@bonafide/lifetime";
import type { Logger } from "@bonafide/proto/spire/api/server/logger/v1/logger_pb";
import { type Logger as WireLogger, LoggerSchema } from "@bonafide/proto/spire/api/types/logger_pb";
import { type Handlers, logLevelOfWire, logLevelToWire } from "@bonafide/rpc";
import { create } from "@bufbuild/protobuf";
import { SERVER_ERRORS } from "../errors.ts";
import type { ServerPeer } from "../port/server-peer.ts";

/** spire.api.server.logger.v1.Logger: how much the running server writes to its log. */
export function loggerHandlers(
  levels: LogLevelSwitch,
  log: Log,
): Handlers<typeof Logger, ServerPeer> {
  const state = (): WireLogger =>
    create(LoggerSchema, {
      currentLevel: logLevelToWire(levels.current),
      launchLevel: logLevelToWire(levels.launched),
    });
  const set = (level: LogLevel, { peer }: { readonly peer: ServerPeer }): WireLogger => {
    const fields = {
      from: levels.current,
      to: level,
      ...(peer.kind === "local" ? { uid: peer.uid } : {}),
    };
    // Said while the louder of both holds: who silences a log is seen in it.
    const isQuieter = logLevelToWire(level) < logLevelToWire(levels.current);
    if (isQuieter) log({ level: "warn", event: "log.level_set", fields });
    levels.set(level);
    if (!isQuieter) log({ level: "warn", event: "log.level_set", fields });
    return state();
  };
  return {
    getLogger: state,
    setLogLevel({ newLevel }, context) {
      const level = logLevelOfWire(newLevel);
      if (level === undefined) {
        throw new BonafideError(SERVER_ERRORS, "REQUEST_INVALID", "new_level is no log level");
      }
      return set(level, context);
    },
    resetLogLevel: (_request, context) => set(levels.launched, context),
  };
}
