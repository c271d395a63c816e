import type { Log, LogLevel, LogLevelSwitch } from "@bonafide/lifetime";
import { type Logger, LoggerSchema } from "@bonafide/proto/spire/api/types/logger_pb";
import { create } from "@bufbuild/protobuf";
import type { CallContext } from "./call-types.ts";
import { logLevelOfWire, logLevelToWire } from "./log-levels.ts";

/** What differs between the logger services of a server and of an agent. */
export interface LogLevelCallsOptions<P> {
  /** What the log says of whoever sets a level. */
  readonly callerOf: (peer: P) => { readonly uid?: number };
  /** What refuses a level that is none. */
  readonly refusal: (message: string) => Error;
}

/** The calls of SPIRE's logger services, whose messages are alike. */
export interface LogLevelCalls<P> {
  getLogger(): Logger;
  setLogLevel(request: { readonly newLevel: Logger["currentLevel"] }, call: CallContext<P>): Logger;
  resetLogLevel(request: unknown, call: CallContext<P>): Logger;
}

/** Tells and changes how much a running process writes to its log. */
export function logLevelCalls<P>(
  levels: LogLevelSwitch,
  log: Log,
  { callerOf, refusal }: LogLevelCallsOptions<P>,
): LogLevelCalls<P> {
  const state = (): Logger =>
    create(LoggerSchema, {
      currentLevel: logLevelToWire(levels.current),
      launchLevel: logLevelToWire(levels.launched),
    });
  const set = (level: LogLevel, { peer }: CallContext<P>): Logger => {
    const fields = { from: levels.current, to: level, ...callerOf(peer) };
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
    setLogLevel({ newLevel }, call) {
      const level = logLevelOfWire(newLevel);
      if (level === undefined) throw refusal("new_level is no log level");
      return set(level, call);
    },
    resetLogLevel: (_request, call) => set(levels.launched, call),
  };
}
