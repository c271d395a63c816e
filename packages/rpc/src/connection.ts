/** One connection of a server. */
export interface Connection {
  /** Unique in this server: `conn-1`, `conn-2` ... */
  readonly id: string;
  /** Aborts once the connection is closed, however that came. */
  readonly closed: AbortSignal;
  /**
   * Lets running calls end within `graceMs`, then cancels them; refuses new ones by GOAWAY.
   *
   * A call that was sent before the GOAWAY arrived is made again by grpc-js, once, on another connection. If that is
   * drained too before it has read the call, the call fails as unavailable. A warning ahead, as other servers give, is
   * not to be had: Node stops reading an idle connection as soon as it has sent any GOAWAY.
   */
  drain(graceMs: number): void;
  /** Closes it at once; running calls end as cancelled. */
  destroy(): void;
}
