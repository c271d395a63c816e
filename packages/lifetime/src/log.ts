/** How severe an event is. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** What a field of an event may hold; undefined ones are left out. */
export type LogValue = string | number | boolean | readonly string[] | undefined;

/** One thing that happened, for operators. */
export interface LogEvent {
  readonly level: LogLevel;
  /** Dotted, short and stable, such as `agent.joined`. */
  readonly event: string;
  /** Small, and no secret. */
  readonly fields?: Readonly<Record<string, LogValue>>;
  /** Why it happened; it never leaves the process but to the log. */
  readonly error?: unknown;
}

/** Where server and agent say what they do; the application brings the real one. Must not throw and must not wait. */
export type Log = (event: LogEvent) => void;

/** The least severe level that a log writes, which may be changed while it runs. */
export interface LogLevelSwitch {
  /** As it was when the process started. */
  readonly launched: LogLevel;
  readonly current: LogLevel;
  set(level: LogLevel): void;
}

/** Says nothing. */
export const silentLog: Log = () => {};
