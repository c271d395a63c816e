import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { COMMANDS } from "../commands/index.ts";
import { testCommands } from "../testing/run-commands.ts";
import { commandTree } from "./command-tree.ts";

const folder = mkdtempSync(join(tmpdir(), "bf-complete-"));
after(() => {
  rmSync(folder, { recursive: true });
});

async function scriptFor(shell: string): Promise<string> {
  const { out, code } = await testCommands({}).run("completion", shell);
  assert.equal(code, 0);
  const file = join(folder, shell);
  writeFileSync(file, out);
  return file;
}

/** Words that are typed, the last one being completed. */
const LINES: readonly (readonly [readonly string[], readonly string[]])[] = [
  [["entry", "cr"], ["create"]],
  [["entry", "create", "--dry"], ["--dry-run"]],
  [["entry", "create", "--spiffe-id", "spiffe://example.org/a", "--dry"], ["--dry-run"]],
  [
    ["server", "logger", ""],
    ["get", "reset", "set"],
  ],
  [["ledger", "log", "--js"], ["--json"]],
];

function lines(text: string): readonly string[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .toSorted();
}

test("in a real bash every place completes what is there", async () => {
  const file = await scriptFor("bash");
  for (const [words, wanted] of LINES) {
    const { stdout, stderr, status } = spawnSync(
      "bash",
      [
        "--norc",
        "-c",
        'source "$0"; COMP_WORDS=(bonafide "$@"); COMP_CWORD=$#; _bonafide; printf "%s\\n" "${COMPREPLY[@]}"',
        file,
        ...words,
      ],
      { encoding: "utf8" },
    );
    assert.equal(status, 0, stderr);
    assert.deepEqual(lines(stdout), wanted, words.join(" "));
  }
});

test("in a real bash a value that is a file's is left to bash", async () => {
  const file = await scriptFor("bash");
  const { stdout } = spawnSync(
    "bash",
    [
      "--norc",
      "-c",
      'source "$0"; COMP_WORDS=(bonafide server run --config ""); COMP_CWORD=4; _bonafide; echo "${#COMPREPLY[@]}"; complete -p bonafide',
      file,
    ],
    { encoding: "utf8" },
  );
  assert.match(stdout, /^0\ncomplete -o default -F _bonafide bonafide/);
});

const fish = spawnSync("fish", ["--version"]).status === 0;
test(
  "in a real fish every place completes what is there",
  { skip: fish ? false : "needs fish" },
  async () => {
    const file = await scriptFor("fish");
    for (const [words, wanted] of LINES) {
      const { stdout, stderr } = spawnSync(
        "fish",
        [
          "--no-config",
          "-c",
          'source $argv[1]; complete -C "$argv[2]"',
          file,
          ["bonafide", ...words].join(" "),
        ],
        { encoding: "utf8" },
      );
      assert.deepEqual(lines(stdout.replaceAll(/\t.*$/gm, "")), wanted, stderr);
    }
  },
);

const zsh = spawnSync("zsh", ["--version"]).status === 0;
test(
  "a real zsh reads its script, and every place holds what is there",
  { skip: zsh ? false : "needs zsh" },
  async () => {
    const file = await scriptFor("zsh");
    const script =
      'autoload -Uz compinit; compinit -D; source "$1"; shift; local -a reply; _bonafide_at "$*"; print -l -- ${reply%%:*}';
    for (const [at, wanted] of [
      [
        ["server", "logger"],
        ["get", "reset", "set"],
      ],
      [["up"], ["--data-dir", "--help", "--json", "--once", "--server-port", "--trust-domain"]],
    ] as const) {
      const { stdout, stderr, status } = spawnSync(
        "zsh",
        ["-f", "-c", script, "zsh", file, ...at],
        {
          encoding: "utf8",
        },
      );
      assert.equal(status, 0, stderr);
      assert.deepEqual(lines(stdout), wanted);
    }
  },
);

test("every command and every flag has its place", async () => {
  const commands = await Promise.all(COMMANDS.map(({ load }) => load()));
  const places = new Map(commandTree(commands).map((place) => [place.path, place]));
  for (const { name, flags } of commands) {
    const parts = name.split(" ");
    const parent = places.get(parts.slice(0, -1).join(" "));
    assert.ok(
      parent?.words.some(({ word }) => word === parts.at(-1)),
      name,
    );
    const told = places.get(name)?.flags.map(({ flag }) => flag);
    assert.deepEqual(
      told,
      [...Object.keys(flags), "json", "help"].map((flag) => `--${flag}`),
    );
  }
});

test("a shell that is none of the three is refused", async () => {
  assert.equal((await testCommands({}).run("completion", "tcsh")).code, 64);
});
