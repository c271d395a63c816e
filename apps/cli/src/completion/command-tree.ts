import type { Command, FlagSpec } from "../arguments/command.ts";
import { COMMON_FLAGS } from "../arguments/parse-flags.ts";

/** What may follow some words of a command line. */
export interface Place {
  /** The words that lead here, joined by spaces; empty for the start. */
  readonly path: string;
  /** Words that go on from here, with what they mean. */
  readonly words: readonly { readonly word: string; readonly summary: string }[];
  /** Flags of the command that the path names; none if it names none. */
  readonly flags: readonly {
    readonly flag: string;
    readonly summary: string;
    readonly takesValue: boolean;
  }[];
}

/** Every place of the command line at which something can be completed, parents before children. */
export function commandTree(
  commands: readonly Pick<Command, "name" | "summary" | "flags">[],
): readonly Place[] {
  const places = new Map<string, { words: Map<string, string>; flags: Place["flags"] }>();
  const at = (path: string) => {
    const known = places.get(path) ?? { words: new Map<string, string>(), flags: [] };
    places.set(path, known);
    return known;
  };
  at("");
  for (const { name, summary, flags } of commands) {
    const parts = name.split(" ");
    for (const [i, part] of parts.entries()) {
      const place = at(parts.slice(0, i).join(" "));
      const isLast = i === parts.length - 1;
      if (isLast || !place.words.has(part)) {
        place.words.set(part, isLast ? summary : `commands of ${parts.slice(0, i + 1).join(" ")}`);
      }
    }
    at(name).flags = Object.entries<FlagSpec>({ ...flags, ...COMMON_FLAGS }).map(
      ([flag, { help, kind }]) => ({
        flag: `--${flag}`,
        summary: help,
        takesValue: kind !== "boolean",
      }),
    );
  }
  return [...places].map(([path, { words, flags }]) => ({
    path,
    words: Array.from(words, ([word, summary]) => ({ word, summary })),
    flags,
  }));
}
