import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { test } from "node:test";
import { findProgram } from "./find-program.ts";

test("a folder of PATH that may not be entered is passed over, a command in one is not executable", () => {
  const folder = mkdtempSync("/tmp/bf-");
  const closed = `${folder}/closed`;
  mkdirSync(closed, { mode: 0 });
  symlinkSync("loop", `${folder}/loop`);
  const root = process.geteuid?.() === 0;
  chmodSync(folder, 0o755);
  // Root may enter every folder.
  if (root) process.seteuid?.(65534);
  try {
    assert.equal(findProgram("sh", `${closed}:/bin`), "/bin/sh");
    assert.equal(findProgram("sh", `${folder}/loop:/bin`), "/bin/sh");
    assert.throws(() => findProgram("sh", closed), { code: "LAUNCH_COMMAND_NOT_FOUND" });
    assert.throws(() => findProgram(`${closed}/sh`, "/bin"), {
      code: "LAUNCH_COMMAND_NOT_EXECUTABLE",
    });
    assert.throws(() => findProgram(`${folder}/loop`, "/bin"), {
      code: "LAUNCH_COMMAND_NOT_FOUND",
    });
  } finally {
    if (root) process.seteuid?.(0);
    rmSync(folder, { recursive: true });
  }
});
