import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import { requireSocket } from "./socket-client.ts";
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

function makeUp(data: string, sockets: string): void {
  mkdirSync(data, { mode: 0o700 });
  mkdirSync(sockets, { mode: 0o700 });
  writeFileSync(join(sockets, "admin.sock"), "");
  symlinkSync(join(sockets, "admin.sock"), join(data, "server.sock"));
}

test("a socket of up is taken from this folder only if nobody else could have put it there", () => {
  makeUp(".bonafide", join(folder, "sockets"));
  assert.equal(serverSocket(undefined, {}).path, ".bonafide/server.sock");
  chmodSync("sockets", 0o777);
  assert.equal(serverSocket(undefined, {}).path, DEFAULT);
  assert.match(serverSocket(undefined, {}).source, /passed over: behind it, others may write/);
  chmodSync("sockets", 0o700);
  chmodSync(".bonafide", 0o777);
  assert.equal(serverSocket(undefined, {}).path, DEFAULT);
  chmodSync(".bonafide", 0o700);
  rmSync("sockets", { recursive: true });
  assert.match(serverSocket(undefined, {}).source, /does not run now/);
  rmSync(".bonafide", { recursive: true });
  mkdirSync("elsewhere", { mode: 0o700 });
  symlinkSync(join(folder, "elsewhere"), ".bonafide");
  assert.match(serverSocket(undefined, {}).source, /it is a link or no folder/);
  rmSync(".bonafide");
});

test("a path without a socket is refused with the cause that why.md explains", () => {
  for (const path of ["/nowhere/agent.sock", "/etc/passwd", "/etc/passwd/agent.sock"]) {
    assert.throws(
      () => {
        requireSocket("agent", { path, source: "--socket" });
      },
      (error) =>
        isBonafideError(error, "SOCKET_MISSING") && error.details["cause"] === "socket.missing",
    );
  }
});

test("a socket that this user may not reach is refused with what refuses, and to whom it belongs", (t) => {
  // Below /tmp, which everybody may search, whatever TMPDIR says.
  const closed = mkdtempSync("/tmp/bf-closed-");
  const path = join(closed, "admin.sock");
  // A file would be refused as no socket, whoever asks: something has to listen.
  const server = createServer().listen(path);
  t.after(() => {
    server.close();
    rmSync(closed, { recursive: true });
  });
  const owner = process.geteuid?.() ?? 0;
  const choice = { path, source: "--socket" };
  requireSocket("server", choice);
  t.mock.property(process, "geteuid", () => 54_321);
  t.mock.property(process, "getegid", () => 54_321);
  t.mock.property(process, "getgroups", () => []);
  assert.throws(
    () => {
      requireSocket("server", choice);
    },
    (error) =>
      isBonafideError(error, "SOCKET_NOT_PERMITTED") &&
      error.details["cause"] === "socket.not_permitted" &&
      error.details["next"] === `call this as uid ${owner}, or let your user into ${closed}`,
  );
});

test("a socket of up is found from below; the nearest data folder counts, even one that is passed over", () => {
  makeUp(join(folder, ".bonafide"), join(folder, "found"));
  mkdirSync("a/b", { recursive: true });
  process.chdir("a/b");
  assert.equal(serverSocket(undefined, {}).path, "../../.bonafide/server.sock");
  makeUp(join(folder, "a", ".bonafide"), join(folder, "nearer"));
  assert.equal(serverSocket(undefined, {}).path, "../.bonafide/server.sock");
  chmodSync(join(folder, "a", ".bonafide"), 0o777);
  assert.equal(serverSocket(undefined, {}).path, DEFAULT);
  process.chdir(folder);
});
