import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { after, before, test } from "node:test";
import { readRevision } from "./git-files.ts";

const top = mkdtempSync("/tmp/bf-git-");
const folder = join(top, "authz");
const options = {
  signal: new AbortController().signal,
  env: { PATH: process.env["PATH"], HOME: top },
};

function git(...args: readonly string[]): void {
  const identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"];
  execFileSync("git", ["-C", top, ...identity, ...args], {
    env: { ...options.env, GIT_CONFIG_NOSYSTEM: "1" },
    stdio: "pipe",
  });
}

before(() => {
  mkdirSync(join(folder, "teams"), { recursive: true });
  git("init", "-q", "-b", "main");
  git("commit", "-q", "--allow-empty", "-m", "empty");
  writeFileSync(join(folder, "org.yaml"), "one: ü\n");
  writeFileSync(join(folder, "teams", "a b.yaml"), "");
  writeFileSync(join(folder, ".hidden"), "x");
  writeFileSync(join(top, "outside.yaml"), "x");
  git("add", "-A");
  git("commit", "-q", "-m", "first");
  writeFileSync(join(folder, "org.yaml"), "two\n");
  git("commit", "-q", "-am", "second");
});
after(() => rmSync(top, { recursive: true, force: true }));

test("a folder is read as it was, with the names that it had", async () => {
  const { files, commit } = await readRevision(folder, "HEAD~1", options);
  assert.match(commit, /^[0-9a-f]{40}$/);
  assert.deepEqual(
    [...files],
    [
      ["org.yaml", "one: ü\n"],
      ["teams/a b.yaml", ""],
    ],
  );
  const whole = await readRevision(top, "main", options);
  assert.ok(whole.files.has("outside.yaml") && whole.files.has("authz/org.yaml"));
});

test("where the folder was not there yet, it has no files", async () => {
  assert.equal((await readRevision(folder, "HEAD~2", options)).files.size, 0);
});

test("what is no revision is refused, also if it looks like an option or a command", async () => {
  const trap = join(top, "trap");
  for (const name of ["nope", "", "--help", `--output=${trap}`, `$(touch ${trap})`, "HEAD:authz"]) {
    await assert.rejects(readRevision(folder, name, options), { code: "GIT_UNREADABLE" }, name);
  }
  assert.ok(!existsSync(trap));
  const outside = mkdtempSync("/tmp/bf-nogit-");
  await assert.rejects(readRevision(outside, "HEAD", options), { code: "GIT_UNREADABLE" });
  rmSync(outside, { recursive: true });
});

test("a repository's own settings run nothing, and variables point nowhere else", async () => {
  const trap = join(top, "trap");
  const hook = join(top, "hook.sh");
  writeFileSync(hook, `#!/bin/sh\ntouch ${trap}\ncat\n`, { mode: 0o755 });
  for (const name of ["core.fsmonitor", "core.pager", "diff.x.textconv", "filter.x.smudge"]) {
    git("config", name, hook);
  }
  writeFileSync(join(top, ".git", "info", "attributes"), "* filter=x diff=x\n");
  const env = { ...options.env, GIT_DIR: "/nowhere", GIT_EXTERNAL_DIFF: hook };
  const { files } = await readRevision(folder, "main", { ...options, env });
  assert.equal(files.get("org.yaml"), "two\n");
  assert.ok(!existsSync(trap));
});

test("a link in the folder is refused", async () => {
  symlinkSync("/etc/passwd", join(folder, "link.yaml"));
  git("add", "-A");
  git("commit", "-q", "-m", "link");
  await assert.rejects(readRevision(folder, "main", options), { code: "GIT_UNREADABLE" });
});

test("git is told to allow no protocol, which a repository's own settings cannot undo", async () => {
  const path = mkdtempSync("/tmp/bf-fakegit-");
  const script = `#!/bin/sh\necho "allowed: $GIT_ALLOW_PROTOCOL" >&2\nexit 1\n`;
  writeFileSync(join(path, "git"), script, { mode: 0o755 });
  const told = { code: "GIT_UNREADABLE", message: /allowed: none/ };
  await assert.rejects(readRevision(folder, "main", { ...options, env: { PATH: path } }), told);
  rmSync(path, { recursive: true });
});
