import { isBonafideError } from "@bonafide/errors";

/** Causes told of one error, the error itself included. */
const CAUSES_MAX = 4;

/** Longest text of one of them, characters. */
const TEXT_CHARS_MAX = 400;

/** An error as a log line holds it. */
export interface DescribedError {
  /** `CODE: what happened`, and what caused it after `; `. */
  readonly cause: string;
  /** Where it happened, for errors without a code: those are nobody's answer but a fault of ours. */
  readonly stack?: string;
}

/** Describes an error and its causes in one line. Nobody mends a refused connection by the stack of its call. */
export function describeError(error: unknown): DescribedError {
  const told: string[] = [];
  let at: unknown = error;
  for (let i = 0; i < CAUSES_MAX && at !== undefined; i++, at = causeOf(at)) {
    const text = textOf(at);
    // Many errors repeat the text of what caused them.
    if (!told.some((before) => before.includes(text))) told.push(text);
  }
  const { stack } = error instanceof Error && codeOf(error) === undefined ? error : {};
  return { cause: told.join("; "), ...(stack === undefined ? {} : { stack }) };
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error).slice(0, TEXT_CHARS_MAX);
  const message = error.message.replaceAll(/\s+/g, " ").slice(0, TEXT_CHARS_MAX);
  const code = codeOf(error);
  return code === undefined || message.startsWith(code) ? message : `${code}: ${message}`;
}

/** What lies under a coded error; a library's own wording of a failed call is left out, the code says it. */
function causeOf(error: unknown): unknown {
  if (!(error instanceof Error) || error.cause === undefined) return undefined;
  const { cause } = error;
  const isLibrarys = cause instanceof Error && "code" in cause && typeof cause.code === "number";
  return isLibrarys ? undefined : cause;
}

function codeOf(error: Error): string | undefined {
  if (isBonafideError(error)) return error.code;
  return "code" in error && typeof error.code === "string" ? error.code : undefined;
}
