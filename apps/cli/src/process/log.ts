import { writeSync } from "node:fs";
import type { Log, LogLevel, LogLevelSwitch } from "@bonafide/lifetime";
import { type DestinationStream, pino } from "pino";
import { describeError } from "./describe-error.ts";

const STANDARD_ERROR = 2;

/**
 * Standard error for logs. A line for which the disk has no room is lost; a stream would fail for good, and end the
 * process with it.
 */
export const standardError: DestinationStream = {
  write(line) {
    try {
      writeSync(STANDARD_ERROR, line);
    } catch {
      // There is nowhere left to say so.
    }
  },
};

/** Options of {@link createLog}. */
export interface LogOptions {
  readonly name: string;
  readonly level: LogLevel;
  readonly stream: DestinationStream;
}

/**
 * Writes one JSON object a line, with ISO times and level names; errors as {@link describeError} words them. With a
 * switch for its level.
 */
export function createSwitchedLog(options: LogOptions): {
  readonly log: Log;
  readonly levels: LogLevelSwitch;
} {
  const log = pino(
    {
      name: options.name,
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    options.stream,
  );
  let current = options.level;
  return {
    log: ({ level, event, fields, error }) => {
      log[level]({ ...fields, ...(error === undefined ? {} : describeError(error)) }, event);
    },
    levels: {
      launched: options.level,
      get current() {
        return current;
      },
      set(level) {
        current = level;
        log.level = level;
      },
    },
  };
}
