import type { Place } from "./command-tree.ts";

/** A completion script for fish, to be kept in its folder of completions. */
export function fishScript(places: readonly Place[]): string {
  const lines = places.flatMap(({ path, words, flags }) => {
    const condition = `-n '__bonafide_at "${path}"'`;
    return [
      ...words.map(
        ({ word, summary }) =>
          `complete -c bonafide -f ${condition} -a ${word} -d ${quoted(summary)}`,
      ),
      ...flags.map(
        ({ flag, summary, takesValue }) =>
          `complete -c bonafide ${condition} -l ${flag.slice(2)}${takesValue ? " -r" : ""} -d ${quoted(summary)}`,
      ),
    ];
  });
  const known = places.filter(({ path }) => path !== "").map(({ path }) => `'${path}'`);
  return `# fish completion for bonafide: ~/.config/fish/completions/bonafide.fish
set -g __bonafide_places ${known.join(" ")}
function __bonafide_at
    set -l at ''
    for word in (commandline -opc)[2..-1]
        string match -q -- '-*' $word; and continue
        set -l next (string trim -- "$at $word")
        contains -- $next $__bonafide_places; and set at $next
    end
    test "$at" = "$argv[1]"
end
${lines.join("\n")}
`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
