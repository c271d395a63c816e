/** How severe a line is. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** Where the agent writes what it does; lines hold no secrets. The application brings the real one. */
export interface Log {
  /**
   * @param event   Short and stable, such as `agent.joined`.
   * @param fields  Small values; an Error under `cause` may be given whole.
   */
  (level: LogLevel, event: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** Writes nothing. */
export const silentLog: Log = () => {};
