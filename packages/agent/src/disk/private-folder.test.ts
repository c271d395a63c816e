import assert from "node:assert/strict";
import { chmod, chown, mkdir, mkdtemp, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { makePrivateFolder } from "./private-folder.ts";

const INVALID = { code: "AGENT_STATE_INVALID" };

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "bf-pf-"));
  try {
    await run(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test("a missing folder is made for its owner alone, and taken again", () =>
  inFolder(async (folder) => {
    const path = join(folder, "a", "data");
    await makePrivateFolder(path);
    assert.equal((await stat(path)).mode & 0o777, 0o700);
    await makePrivateFolder(path);
  }));

test("a folder that others may use is refused, and its rights stay as they are", () =>
  inFolder(async (folder) => {
    const path = join(folder, "data");
    await mkdir(path);
    for (const mode of [0o701, 0o710, 0o720, 0o704, 0o755, 0o777]) {
      await chmod(path, mode);
      await assert.rejects(makePrivateFolder(path), INVALID);
      assert.equal((await stat(path)).mode & 0o777, mode);
    }
  }));

test("a link to a folder and a file are refused", () =>
  inFolder(async (folder) => {
    await makePrivateFolder(join(folder, "data"));
    await symlink(join(folder, "data"), join(folder, "link"));
    await assert.rejects(makePrivateFolder(join(folder, "link")), INVALID);
    await writeFile(join(folder, "file"), "");
    await assert.rejects(makePrivateFolder(join(folder, "file")), {
      code: "AGENT_STATE_UNAVAILABLE",
    });
  }));

test(
  "another user's folder is refused",
  { skip: process.geteuid?.() === 0 ? false : "needs root, to be another user" },
  () =>
    inFolder(async (folder) => {
      const path = join(folder, "data");
      await makePrivateFolder(path);
      await chown(path, 54_321, 54_321);
      await assert.rejects(makePrivateFolder(path), INVALID);
    }),
);
