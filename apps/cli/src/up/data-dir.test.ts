import assert from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openDataDir } from "./data-dir.ts";

const folder = mkdtempSync(join(tmpdir(), "bonafide-dir-"));
const sockets: string[] = [];
after(() => {
  for (const path of [folder, ...sockets]) rmSync(path, { recursive: true, force: true });
});

test("a data folder is private, ignores itself in git, and is locked against a second run", () => {
  const path = join(folder, "new", "data");
  const first = openDataDir(path, {});
  sockets.push(first.socketDir);
  assert.equal(statSync(path).mode & 0o777, 0o700);
  assert.equal(readFileSync(join(path, ".gitignore"), "utf8"), "*\n");
  assert.throws(() => openDataDir(path, {}), { code: "DATA_DIR_LOCKED" });
  first.release();
  first.release();
  openDataDir(path, {}).release();
});

test("the socket folder is short even for a data folder of 200 bytes", () => {
  const long = join(folder, "d".repeat(100), "e".repeat(100));
  const dir = openDataDir(long, {});
  sockets.push(dir.socketDir);
  assert.ok(dir.socketDir.length < 64, dir.socketDir);
  assert.equal(statSync(dir.socketDir).mode & 0o777, 0o755);
  dir.release();
});

test("a link, a file and a folder open to others are refused", () => {
  const real = join(folder, "real");
  mkdirSync(real, { mode: 0o700 });
  symlinkSync(real, join(folder, "link"));
  assert.throws(() => openDataDir(join(folder, "link"), {}), { code: "DATA_DIR_UNSAFE" });
  chmodSync(real, 0o750);
  assert.throws(() => openDataDir(real, {}), { code: "DATA_DIR_UNSAFE", message: /chmod 700/ });
});
