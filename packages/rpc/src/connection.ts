/** One connection of a server. */
export interface Connection {
  /** Unique in this server: `conn-1`, `conn-2` ... */
  readonly id: string;
  /** Aborts once the connection is closed, however that came. */
  readonly closed: AbortSignal;
  /** Lets running calls end within `graceMs`, then cancels them; refuses new ones by GOAWAY. */
  drain(graceMs: number): void;
  /** Closes it at once; running calls end as cancelled. */
  destroy(): void;
}
