/** gRPC status codes by name, as an error table spells them. */
export type StatusName =
  | "cancelled"
  | "unknown"
  | "invalid_argument"
  | "deadline_exceeded"
  | "not_found"
  | "already_exists"
  | "permission_denied"
  | "resource_exhausted"
  | "failed_precondition"
  | "aborted"
  | "out_of_range"
  | "unimplemented"
  | "internal"
  | "unavailable"
  | "data_loss"
  | "unauthenticated";

/** What one error code means to a caller. */
export interface ErrorSpec {
  /** The gRPC status it becomes at the edge. */
  readonly status: StatusName;
  /** Whether the same call may succeed later without anybody changing it. */
  readonly retry: boolean;
}

/** The closed table of one package's error codes; codes are public API and have a page each. */
export type ErrorTable = Readonly<Record<string, ErrorSpec>>;

/** Options of {@link BonafideError}. */
export interface BonafideErrorOptions {
  /** What led here; for the log, never sent to a caller. */
  readonly cause?: unknown;
  /** Facts for the caller, without secrets; at most a handful of short strings. */
  readonly details?: Readonly<Record<string, string>>;
  /** When trying again makes sense, in ms from now. */
  readonly retryAfterMs?: number;
}

const mark = Symbol.for("bonafide.error");

/**
 * The one failure class. Its message is for the caller and holds no secret.
 *
 * The status and the retry fact are copied from the package's table, so that the edge needs no merged table and two
 * copies of a package in one process still understand each other.
 */
export class BonafideError<Code extends string = string> extends Error {
  override readonly name = "BonafideError";
  readonly code: Code;
  readonly status: StatusName;
  readonly retry: boolean;
  readonly details: Readonly<Record<string, string>>;
  readonly retryAfterMs: number | undefined;

  /** @param table  The package's closed table; `code` is one of its keys. */
  constructor(
    table: Readonly<Record<Code, ErrorSpec>>,
    code: Code,
    message: string,
    options: BonafideErrorOptions = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.status = table[code].status;
    this.retry = table[code].retry;
    this.details = options.details ?? {};
    this.retryAfterMs = options.retryAfterMs;
    Object.defineProperty(this, mark, { value: true });
  }
}

/**
 * Recognises a {@link BonafideError} by its mark, also one made by another copy of this package.
 *
 * @param code  Asks for this code only.
 */
export function isBonafideError(error: unknown, code?: string): error is BonafideError {
  return (
    typeof error === "object" &&
    error !== null &&
    mark in error &&
    "code" in error &&
    (code === undefined || error.code === code)
  );
}
