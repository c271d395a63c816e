import type { Place } from "./command-tree.ts";

/** A completion script for zsh: a file `_bonafide` on `fpath`, or sourced after `compinit`. */
export function zshScript(places: readonly Place[]): string {
  const cases = places.map(({ path, words, flags }) => {
    const list = [
      ...words.map(({ word, summary }) => described(word, summary)),
      ...flags.map(({ flag, summary }) => described(flag, summary)),
    ];
    return `    '${path}') reply=(${list.join(" ")}) ;;`;
  });
  const valued = places.flatMap(({ path, flags }) =>
    flags.filter(({ takesValue }) => takesValue).map(({ flag }) => `'${path} ${flag}'`),
  );
  return `#compdef bonafide
_bonafide_at() {
  case "$1" in
${cases.join("\n")}
    *) return 1 ;;
  esac
}
_bonafide_takes_value() {
  case "$1" in
    ${valued.join("|")}) return 0 ;;
    *) return 1 ;;
  esac
}
_bonafide() {
  local -a reply
  local at='' next word
  for word in "\${(@)words[2,CURRENT-1]}"; do
    [[ $word == -- ]] && { _files; return; }
    [[ $word == -* ]] && continue
    next="\${at:+$at }$word"
    _bonafide_at "$next" && at=$next
  done
  if _bonafide_takes_value "$at \${words[CURRENT-1]}"; then
    _files
    return
  fi
  _bonafide_at "$at" || return
  _describe 'bonafide' reply
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _bonafide "$@"
else
  compdef _bonafide bonafide ./bonafide
fi
`;
}

/** What `_describe` reads: a colon ends the word. */
function described(word: string, summary: string): string {
  return `'${word}:${summary.replaceAll("'", "'\\''")}'`;
}
