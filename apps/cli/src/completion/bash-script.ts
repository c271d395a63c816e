import type { Place } from "./command-tree.ts";

/** A completion script for bash, to be sourced. Names of commands and flags hold nothing that a shell would expand. */
export function bashScript(places: readonly Place[]): string {
  const cases = places.map(({ path, words, flags }) => {
    const list = [...words.map(({ word }) => word), ...flags.map(({ flag }) => flag)].join(" ");
    return `    '${path}') REPLY='${list}' ;;`;
  });
  const valued = places.flatMap(({ path, flags }) =>
    flags.filter(({ takesValue }) => takesValue).map(({ flag }) => `'${path} ${flag}'`),
  );
  return `# bash completion for bonafide; source it, or keep it as
# ~/.local/share/bash-completion/completions/bonafide
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
  local REPLY='' path='' next word i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    [[ $word == -- ]] && return
    [[ $word == -* ]] && continue
    next="\${path:+$path }$word"
    _bonafide_at "$next" && path=$next
  done
  # Files are what most values are; -o default completes them when this gives nothing.
  _bonafide_takes_value "$path \${COMP_WORDS[COMP_CWORD - 1]}" && return
  _bonafide_at "$path" || return
  COMPREPLY=($(compgen -W "$REPLY" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _bonafide bonafide ./bonafide
`;
}
