import type { LogLevel } from "@bonafide/lifetime";
import { LogLevel as Wire } from "@bonafide/proto/spire/api/types/logger_pb";

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

/** A level of our logs as SPIRE's logger services spell it; more is said by a higher number. */
export function logLevelToWire(level: LogLevel): Wire {
  return TO_WIRE[level];
}

/** The level that says no less than one of SPIRE's; undefined for none. */
export function logLevelOfWire(level: Wire): LogLevel | undefined {
  return FROM_WIRE.get(level);
}
