import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import process from "node:process";
import { Writable } from "node:stream";
import { after, test } from "node:test";
import { COMMANDS } from "@bonafide/cli/commands";
import { runProgram } from "@bonafide/cli/program";
import { ManualClock } from "@bonafide/lifetime/testing";
import { type PageStep, readPage, wordsOf } from "./authz-pages.ts";

// Every block of docs/authz/*.md is run, in order, on the folder of docs/authz.md, with the example beside it.

/** The instant at which the pages are read. */
const NOW = Date.parse("2026-11-22T10:00:00Z");
const EXAMPLE = "examples/organisation";
const pages = globSync("docs/authz/*.md").toSorted();
const base = readFileSync("docs/authz.md", "utf8");
const root = process.cwd();
const folder = mkdtempSync("/tmp/bf-authz-pages-");
after(() => {
  process.chdir(root);
  rmSync(folder, { recursive: true, force: true });
});

for (const page of pages) {
  const markdown = readFileSync(page, "utf8");
  test(`${page}: every block does what it says`, async () => {
    const work = join(folder, basename(page, ".md"));
    mkdirSync(work);
    process.chdir(work);
    for (const [, name = "", text = ""] of base.matchAll(/^```\w+ (\S+)\n([\s\S]*?)^```$/gm)) {
      if (name.includes(".")) write(join("authz", name), text);
    }
    cpSync(join(root, EXAMPLE), join(work, EXAMPLE), { recursive: true });
    for (const step of readPage(markdown)) await run(step);
  });
}

test("there are pages, one for each command of authz, or for a group of them", () => {
  const commands = COMMANDS.filter(({ name }) => name.startsWith("authz "));
  assert.ok(commands.length > 5);
  for (const { name } of commands) {
    const page = `docs/authz/${name.split(" ")[1] ?? ""}.md`;
    assert.ok(pages.includes(page), `${page} is missing`);
  }
});

async function run(step: PageStep): Promise<void> {
  if (step.kind === "file") return write(step.path, step.text);
  const { code, text } = step.line.startsWith("bonafide ")
    ? await bonafide(wordsOf(step.line).slice(1))
    : shell(step.line);
  const printed = text.trimEnd() === "" ? [] : text.trimEnd().split("\n");
  const wanted = step.expected.map((line, at) =>
    line.includes("…") && shapeOf(line).test(printed[at] ?? "") ? printed[at] : line,
  );
  assert.deepEqual(printed, wanted, step.line);
  assert.equal(code, step.exitCode, step.line);
  return undefined;
}

async function bonafide(words: readonly string[]): Promise<{ code: number; text: string }> {
  let text = "";
  const sink = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  const code = await runProgram({
    commands: COMMANDS,
    version: "0.1.0",
    program: "bonafide",
    words,
    env: { PATH: process.env["PATH"], HOME: folder },
    stdout: sink,
    stderr: sink,
    signal: new AbortController().signal,
    machine: { clock: new ManualClock(NOW), cli: [""], greeter: "", visitor: "" },
  });
  return { code, text };
}

/** For git and the like: in a folder of our own, without the user's configuration. */
function shell(line: string): { code: number; text: string } {
  const identity = { NAME: "docs", EMAIL: "docs@example.org", DATE: "2026-11-22T10:00:00Z" };
  const env = Object.fromEntries(
    Object.entries(identity).flatMap(([key, value]) => [
      [`GIT_AUTHOR_${key}`, value],
      [`GIT_COMMITTER_${key}`, value],
    ]),
  );
  const text = execFileSync("sh", ["-ec", line], {
    encoding: "utf8",
    env: { ...env, PATH: process.env["PATH"], HOME: folder, GIT_CONFIG_NOSYSTEM: "1" },
  });
  return { code: 0, text };
}

function write(path: string, text: string): void {
  const file = resolve(path);
  assert.ok(file.startsWith(folder), path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function shapeOf(line: string): RegExp {
  const parts = line.split("…").map((part) => RegExp.escape(part));
  return new RegExp(`^${parts.join(".*")}$`);
}
