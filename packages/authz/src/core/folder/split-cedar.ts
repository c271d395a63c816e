/** One policy of a file in Cedar's text form. */
export interface PolicyText {
  readonly text: string;
  /** Of its first character that is neither space nor comment, counted from 1. */
  readonly line: number;
}

/**
 * Cuts a file into its policies. A policy ends at a semicolon, which the language has nowhere else but in strings and
 * comments. What stands behind the last semicolon comes as a policy too, for the parser to refuse.
 */
export function splitCedar(source: string): readonly PolicyText[] {
  const policies: PolicyText[] = [];
  let line = 1;
  let start: { readonly at: number; readonly line: number } | undefined;
  for (let at = 0; at < source.length; at++) {
    const char = source[at];
    if (char === "\n") line++;
    else if (char === "/" && source[at + 1] === "/") at = lineEnd(source, at) - 1;
    else if (char !== undefined && !/\s/.test(char)) {
      start ??= { at, line };
      if (char === '"') {
        const end = stringEnd(source, at);
        line += source.slice(at, end).split("\n").length - 1;
        at = end;
      } else if (char === ";") {
        policies.push({ text: source.slice(start.at, at + 1), line: start.line });
        start = undefined;
      }
    }
  }
  if (start !== undefined) policies.push({ text: source.slice(start.at), line: start.line });
  return policies;
}

function lineEnd(source: string, from: number): number {
  const end = source.indexOf("\n", from);
  return end === -1 ? source.length : end;
}

/** The index of the quote that closes the string opened at `from`, or of the last character. */
function stringEnd(source: string, from: number): number {
  for (let at = from + 1; at < source.length; at++) {
    if (source[at] === "\\") at++;
    else if (source[at] === '"') return at;
  }
  return source.length;
}
