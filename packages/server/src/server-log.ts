/** One thing that happened, for operators. `fields` hold no secret; `error` is the cause and never leaves the process. */
export interface ServerEvent {
  readonly level: "info" | "warn" | "error";
  /** Dotted and stable, such as `authority.activated`. */
  readonly event: string;
  readonly fields?: Readonly<Record<string, string | number | boolean>>;
  readonly error?: unknown;
}

/** Where events go. Must not throw and must not wait. */
export type ServerLog = (event: ServerEvent) => void;
