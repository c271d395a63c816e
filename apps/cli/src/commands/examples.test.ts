import assert from "node:assert/strict";
import { test } from "node:test";
import type { FlagSpec } from "../arguments/command.ts";
import { completeFlags, parseFlags } from "../arguments/parse-flags.ts";
import { COMMANDS } from "./index.ts";

/** Words of a line as a shell would give them; redirections, comments and what follows a pipe are left out. */
function wordsOf(line: string): readonly string[] {
  const plain = line
    .replaceAll("\\\n", " ")
    .replaceAll(/\$\([^)]*\)/g, "SAID")
    .replace(/ (?:#|>|\||&&) .*$/s, "");
  return Array.from(plain.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g), ([, one, two, three]) =>
    String(one ?? two ?? three),
  );
}

for (const { name, load } of COMMANDS) {
  test(`${name}: its examples are lines that it takes`, async () => {
    const command = await load();
    const lines = command.examples.filter((line) => line.startsWith("bonafide "));
    assert.ok(lines.length > 0, "at least one");
    for (const line of lines) {
      const words = wordsOf(line).slice(1);
      // An example may show a neighbour, as `exec` does with `whoami`; it is judged as what it is.
      const called = COMMANDS.filter(({ name: other }) =>
        other.split(" ").every((part, i) => words[i] === part),
      ).toSorted((a, b) => b.name.length - a.name.length)[0];
      assert.ok(called !== undefined, line);
      const { flags, operands, takesRest } = await called.load();
      const parsed = parseFlags(words.slice(called.name.split(" ").length), flags);
      completeFlags(parsed.flags, flags);
      const { min, max } = operands ?? { min: 0, max: 0 };
      const given = parsed.operands.length;
      assert.ok(given >= min && given <= max, `${line}: ${given} operands`);
      assert.ok(takesRest === true || parsed.rest.length === 0, line);
    }
  });

  test(`${name}: its page and its entry in the list say the same, and each flag what it means`, async () => {
    const command = await load();
    assert.equal(command.name, name);
    for (const [flag, spec] of Object.entries<FlagSpec>(command.flags)) {
      assert.match(flag, /^[a-z][a-z0-9-]*$/);
      assert.ok(spec.help.length > 0, flag);
    }
  });
}
