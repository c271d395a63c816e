import type { Writable } from "node:stream";
import { pino } from "pino";
import type { LogLevel } from "../config/fields.ts";

/** Writes one event; `event` is short and stable, fields are small and hold no secret. */
export type ProcessLog = (
  level: LogLevel,
  event: string,
  fields?: Readonly<Record<string, unknown>>,
) => void;

/** Writes one JSON object a line, with ISO times and level names; Errors under `cause` with their stacks. */
export function createLog(options: {
  readonly name: string;
  readonly level: LogLevel;
  readonly stream: Writable;
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
