import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, test } from "node:test";
import { serverSocket, workloadSocket } from "./sockets.ts";

const DEFAULT = "/var/lib/bonafide/server/private/admin.sock";
const folder = mkdtempSync(join(tmpdir(), "bonafide-sockets-"));
const home = process.cwd();
before(() => {
  process.chdir(folder);
});
after(() => {
  process.chdir(home);
  rmSync(folder, { recursive: true });
});

test("a flag wins over the environment, which wins over up and the default; schemes are taken off", () => {
  const env = { BONAFIDE_SERVER_SOCKET: "/env.sock", SPIFFE_ENDPOINT_SOCKET: "unix:///w.sock" };
  assert.equal(serverSocket("unix:///flag.sock", env).path, "/flag.sock");
  assert.equal(serverSocket(undefined, env).path, "/env.sock");
  assert.equal(serverSocket(undefined, {}).path, DEFAULT);
  assert.equal(workloadSocket(undefined, env).path, "/w.sock");
});

test("a socket of up is taken from this folder only if nobody else could have put it there", () => {
  mkdirSync(".bonafide", { mode: 0o700 });
  mkdirSync("sockets", { mode: 0o700 });
  writeFileSync("sockets/admin.sock", "");
  symlinkSync(join(folder, "sockets", "admin.sock"), ".bonafide/server.sock");
  assert.equal(serverSocket(undefined, {}).path, ".bonafide/server.sock");
  chmodSync("sockets", 0o777);
  assert.equal(serverSocket(undefined, {}).path, DEFAULT);
  chmodSync("sockets", 0o700);
  chmodSync(".bonafide", 0o777);
  assert.equal(serverSocket(undefined, {}).path, DEFAULT);
  rmSync(".bonafide", { recursive: true });
  mkdirSync("elsewhere", { mode: 0o700 });
  symlinkSync(join(folder, "sockets", "admin.sock"), "elsewhere/server.sock");
  symlinkSync(join(folder, "elsewhere"), ".bonafide");
  assert.equal(serverSocket(undefined, {}).path, DEFAULT);
});
