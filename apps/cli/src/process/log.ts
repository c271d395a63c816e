import { writeSync } from "node:fs";
import { type DestinationStream, pino } from "pino";
import type { LogLevel } from "../config/fields.ts";

/** Writes one event; `event` is short and stable, fields are small and hold no secret. */
export type ProcessLog = (
  level: LogLevel,
  event: string,
  fields?: Readonly<Record<string, unknown>>,
) => void;

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

/** Writes one JSON object a line, with ISO times and level names; Errors under `cause` with their stacks. */
export function createLog(options: {
  readonly name: string;
  readonly level: LogLevel;
  readonly stream: DestinationStream;
}): ProcessLog {
  const log = pino(
    {
      name: options.name,
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { cause: pino.stdSerializers.err },
    },
    options.stream,
  );
  return (level, event, fields) => {
    log[level](fields ?? {}, event);
  };
}
