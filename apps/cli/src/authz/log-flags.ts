import { type AccessLog, readAccessLog } from "@bonafide/authz";
import { readLines } from "./read-files.ts";

/** Which calls are looked at. */
export const LOG_FLAGS = {
  log: {
    kind: "string",
    help: "an access log, JSON lines",
    placeholder: "FILE",
    required: true,
    repeated: true,
  },
  since: { kind: "duration", help: "only calls of this last while, such as 90d" },
} as const;

/** Reads the logs of a command. @throws FILE_UNREADABLE, ACCESS_LOG_MALFORMED */
export function openLog(
  files: readonly string[],
  { sinceMs, now }: { readonly sinceMs: number | undefined; readonly now: number },
): AccessLog {
  return readAccessLog(linesOf(files), sinceMs === undefined ? {} : { since: now - sinceMs });
}

function* linesOf(files: readonly string[]): Iterable<string> {
  for (const file of files) yield* readLines(file);
}

/** The span that a log covers, for people: a conclusion is worth no more than what it was drawn from. */
export function spanText({ firstAt, lastAt }: AccessLog): string {
  if (firstAt === undefined || lastAt === undefined) return "the log has no calls";
  const [first, last] = [firstAt, lastAt].map((at) => new Date(at).toISOString());
  return `calls from ${first ?? ""} to ${last ?? ""}`;
}

/** Calls to undeclared paths, most first. */
export function undeclaredLines({ undeclared }: AccessLog): readonly string[] {
  return [...undeclared].flatMap(([service, paths]) =>
    [...paths]
      .toSorted(([, a], [, b]) => b - a)
      .slice(0, 10)
      .map(([path, count]) => `  ${count} to ${service}${path === "" ? "" : `: ${path}`}`),
  );
}

/** The same for machines. */
export function undeclaredJson({ undeclared }: AccessLog): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    [...undeclared].map(([service, paths]) => [service, Object.fromEntries(paths)]),
  );
}
