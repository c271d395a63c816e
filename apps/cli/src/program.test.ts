import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { test } from "node:test";
import { ManualClock } from "@bonafide/lifetime/testing";
import * as fc from "fast-check";
import { defineCommand } from "./arguments/command.ts";
import { formatDurationMs, parseDurationMs } from "./arguments/duration.ts";
import { completeFlags, parseFlags } from "./arguments/parse-flags.ts";
import { EXIT } from "./exit-codes.ts";
import { createOutput, table } from "./output.ts";
import { type CommandEntry, runProgram } from "./program.ts";

const SPECS = {
  "spiffe-id": { kind: "string", help: "ID", required: true, spire: "spiffeID" },
  selector: { kind: "string", help: "selector", repeated: true, spire: "selector" },
  ttl: { kind: "duration", help: "life" },
  count: { kind: "integer", help: "how many" },
  downstream: { kind: "boolean", help: "flag" },
} as const;

const echo = defineCommand({
  name: "entry create",
  summary: "creates an entry",
  flags: SPECS,
  takesRest: true,
  examples: ["bonafide entry create --spiffe-id spiffe://example.org/a"],
  run: ({ flags, rest, output }) => {
    output.result(`id ${flags["spiffe-id"]}`, { ...flags, rest });
    return Promise.resolve(EXIT.ok);
  },
});
const COMMANDS: readonly CommandEntry[] = [
  { name: "up", summary: "starts all", load: () => Promise.reject(new Error("broken")) },
  { name: echo.name, summary: echo.summary, load: () => Promise.resolve(echo) },
];

interface Sink {
  readonly stream: Writable;
  text: string;
}
function sink(): Sink {
  const target = {
    text: "",
    stream: new Writable({
      write(chunk, _encoding, done) {
        target.text += String(chunk);
        done();
      },
    }),
  };
  return target;
}

async function run(
  ...words: string[]
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const out = sink();
  const err = sink();
  const code = await runProgram({
    commands: COMMANDS,
    version: "1.2.3",
    program: "./bonafide",
    words,
    env: {},
    stdout: out.stream,
    stderr: err.stream,
    signal: new AbortController().signal,
    machine: { clock: new ManualClock(), cli: [""], greeter: "", visitor: "" },
  });
  return { code, out: out.text, err: err.text };
}

test("flags are read with one dash in SPIRE's spelling, with two in ours, with = or a space", () => {
  const ours = ["--spiffe-id", "a", "--selector=unix:uid:1", "--selector", "x:y", "--ttl", "1h"];
  const spire = ["-spiffeID", "a", "-selector", "unix:uid:1", "-selector=x:y", "-ttl", "3600"];
  const expected = { "spiffe-id": "a", selector: ["unix:uid:1", "x:y"], ttl: 3_600_000 };
  assert.deepEqual(parseFlags(ours, SPECS).flags, expected);
  assert.deepEqual(parseFlags(spire, SPECS).flags, expected);
});

test("an unknown flag is refused and the nearest known one is named", () => {
  assert.throws(() => parseFlags(["--selectr", "a"], SPECS), /--selectr .* --selector\?/);
});

test("malformed, doubled and missing values are refused", () => {
  for (const words of [
    ["--ttl", "soon"],
    ["--count", "-1"],
    ["--count", "1e3"],
    ["--spiffe-id"],
    ["--spiffe-id", "a", "-spiffeID", "b"],
    ["--downstream=maybe"],
    ["---x"],
  ]) {
    assert.throws(() => parseFlags(words, SPECS), { code: "USAGE" }, words.join(" "));
  }
  assert.throws(() => completeFlags({}, SPECS), { code: "USAGE" });
});

test("words after -- are handed on untouched", () => {
  const line = parseFlags(["--spiffe-id", "a", "--", "node", "--json", "-x"], SPECS);
  assert.deepEqual(line.rest, ["node", "--json", "-x"]);
});

test("no line of words crashes the parser", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 12 }), { maxLength: 8 }), (words) => {
      try {
        parseFlags(words, SPECS);
      } catch (error) {
        assert.equal(error instanceof Error && "code" in error && error.code, "USAGE");
      }
    }),
  );
});

test("a command runs, for people and for machines", async () => {
  const people = await run("entry", "create", "--spiffe-id", "a");
  assert.deepEqual(people, { code: EXIT.ok, out: "id a\n", err: "" });
  const machine = await run("entry", "create", "--json", "--spiffe-id", "a", "--", "x");
  assert.deepEqual(JSON.parse(machine.out), {
    "spiffe-id": "a",
    selector: [],
    downstream: false,
    json: true,
    rest: ["x"],
  });
});

test("a mistyped command is answered with the nearest one and exit code 64", async () => {
  const { code, err } = await run("entry", "craete");
  assert.equal(code, EXIT.usage);
  assert.match(err, /mean \.\/bonafide entry create\?/);
});

test("help lists commands, a group its own, a command its flags and examples", async () => {
  const all = await run("--help");
  assert.equal(all.code, EXIT.ok);
  assert.match(all.out, /up +starts all/);
  const group = await run("entry");
  assert.doesNotMatch(group.out, /starts all/);
  const one = await run("entry", "create", "--help");
  assert.equal(one.code, EXIT.ok);
  assert.match(one.out, /--spiffe-id TEXT .*required.*also -spiffeID/);
  assert.match(one.out, /Examples:\n {2}\.\/bonafide entry create/);
});

test("an error that is none of ours ends with exit code 70, JSON errors as one line", async () => {
  assert.equal((await run("up")).code, EXIT.bug);
  const { err, code } = await run("entry", "create", "--json");
  assert.equal(code, EXIT.usage);
  const parsed: unknown = JSON.parse(err);
  assert.deepEqual(parsed, { error: { code: "USAGE", message: "--spiffe-id is required" } });
});

test("durations are read and written", () => {
  assert.equal(parseDurationMs("90"), 90_000);
  assert.equal(parseDurationMs("1h30m"), 5_400_000);
  assert.equal(parseDurationMs("7d"), 604_800_000);
  assert.equal(parseDurationMs("250ms"), 250);
  for (const bad of ["", "h", "1x", "-1s", "1 h", "1.5h"]) {
    assert.equal(parseDurationMs(bad), undefined, bad);
  }
  assert.equal(formatDurationMs(604_800_000), "7d");
  assert.equal(formatDurationMs(5_400_000), "1h30m");
  assert.equal(formatDurationMs(90_061_000), "1d1h");
  assert.equal(formatDurationMs(250), "250ms");
});

test("JSON shows bytes as hexadecimal and 64-bit numbers as text, and no marks of messages", () => {
  const [out, err] = [sink(), sink()];
  const streams = { stdout: out.stream, stderr: err.stream };
  const output = createOutput({ ...streams, json: true, program: "bonafide" });
  output.result("", { $typeName: "a.B", hash: Uint8Array.of(94, 0, 255), n: [2n ** 60n] });
  assert.equal(out.text, '{"hash":"5e00ff","n":["1152921504606846976"]}\n');
});

test("tables are aligned and end without spaces", () => {
  assert.equal(table(["a", "long"], [["wide", "x"]]), "a     long\nwide  x");
});
