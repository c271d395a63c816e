import { BonafideError } from "@bonafide/errors";
import type { Log, LogLevel, LogLevelSwitch } from "@bonafide/lifetime";
import type { Logger } from "@bonafide/proto/spire/api/server/logger/v1/logger_pb";
import {
  type Logger as WireLogger,
  LoggerSchema,
  LogLevel as Wire,
} from "@bonafide/proto/spire/api/types/logger_pb";
import type { Handlers } from "@bonafide/rpc";
import { create } from "@bufbuild/protobuf";
import { SERVER_ERRORS } from "../errors.ts";
import type { ServerPeer } from "../port/server-peer.ts";

const TO_WIRE: Readonly<Record<LogLevel, Wire>> = {
  error: Wire.ERROR,
  warn: Wire.WARN,
  info: Wire.INFO,
  debug: Wire.DEBUG,
};

/** Levels that SPIRE knows and we do not become the nearest one that says no less. */
const FROM_WIRE: ReadonlyMap<Wire, LogLevel> = new Map([
  [Wire.PANIC, "error"],
  [Wire.FATAL, "error"],
  [Wire.ERROR, "error"],
  [Wire.WARN, "warn"],
  [Wire.INFO, "info"],
  [Wire.DEBUG, "debug"],
  [Wire.TRACE, "debug"],
]);

/** spire.api.server.logger.v1.Logger: how much the running server writes to its log. */
export function loggerHandlers(
  levels: LogLevelSwitch,
  log: Log,
): Handlers<typeof Logger, ServerPeer> {
  const state = (): WireLogger =>
    create(LoggerSchema, {
      currentLevel: TO_WIRE[levels.current],
      launchLevel: TO_WIRE[levels.launched],
    });
  const set = (level: LogLevel, { peer }: { readonly peer: ServerPeer }): WireLogger => {
    const fields = {
      from: levels.current,
      to: level,
      ...(peer.kind === "local" ? { uid: peer.uid } : {}),
    };
    // Said while the louder of both holds: who silences a log is seen in it.
    const isQuieter = TO_WIRE[level] < TO_WIRE[levels.current];
    if (isQuieter) log({ level: "warn", event: "log.level_set", fields });
    levels.set(level);
    if (!isQuieter) log({ level: "warn", event: "log.level_set", fields });
    return state();
  };
  return {
    getLogger: state,
    setLogLevel({ newLevel }, context) {
      const level = FROM_WIRE.get(newLevel);
      if (level === undefined) {
        throw new BonafideError(SERVER_ERRORS, "REQUEST_INVALID", "new_level is no log level");
      }
      return set(level, context);
    },
    resetLogLevel: (_request, context) => set(levels.launched, context),
  };
}
