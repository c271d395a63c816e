/** One call that a server or an agent answered, for metrics and traces. */
export interface AnsweredCall {
  /** Full name of the service. The caller wrote it: it may be of none that is served. */
  readonly service: string;
  readonly method: string;
  /** `ok`, or the gRPC status in small letters. */
  readonly status: string;
  /** From its headers to its end. */
  readonly durationMs: number;
}
