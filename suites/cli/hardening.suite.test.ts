import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chownSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { type Checkout, copyCheckout } from "../up/checkout.ts";
import { CommandLine, ended, type Serving, type StartOptions } from "./command-line.ts";

const options = {
  timeout: 240_000,
  skip: process.getuid?.() === 0 ? false : "needs root, to be another user",
} as const;
const UID = 61_510;

const checkout: Checkout | undefined =
  options.skip === false ? copyCheckout({ mode: 0o755 }) : undefined;
const folder = mkdtempSync("/tmp/bf-hard-");
chownSync(folder, process.getuid?.() === 0 ? UID : (process.getuid?.() ?? 0), -1);
after(() => {
  checkout?.[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});
const path = (name: string): string => join(folder, name);
const cli = new CommandLine(
  { server: path("server/private/admin.sock"), agent: path("agent/private/admin.sock") },
  checkout,
);

const SERVER = [
  "server",
  "run",
  "--trust-domain=example.org",
  `--data-dir=${path("server")}`,
  "--listen=127.0.0.1:0",
] as const;

/** What the kernel says of a process that holds keys, and what it lets another process of its own user see. */
function assertHard(serving: Serving): void {
  const proc = `/proc/${serving.pid}`;
  assert.match(readFileSync(`${proc}/status`, "utf8"), /^Uid:\t61510\b/m);
  assert.match(readFileSync(`${proc}/status`, "utf8"), /^Umask:\t0077$/m);
  // Not dumpable: no core is ever written, and the kernel gives what lies behind these names to root.
  for (const name of ["environ", "mem", "maps", "fd"]) {
    assert.equal(statSync(`${proc}/${name}`).uid, 0, name);
  }
  const read = spawnSync("cat", [`${proc}/environ`, `${proc}/mem`], { uid: UID, gid: UID });
  assert.equal(read.status, 1);
  assert.equal(read.stdout.length, 0);
  // Its end tells that no debugger was opened by it.
  serving.kill("SIGUSR1");
}

function assertPrivate(under: string): void {
  let files = 0;
  for (const entry of readdirSync(under, { recursive: true, withFileTypes: true })) {
    const { mode } = statSync(join(entry.parentPath, entry.name));
    assert.equal(mode & 0o077, 0, `${entry.parentPath}/${entry.name} ${mode.toString(8)}`);
    files++;
  }
  assert.ok(files > 3, `${files} files`);
}

test(
  "a server and an agent that run: no core dumps, nothing for others of their user, private files",
  options,
  async () => {
    const start: StartOptions = { uid: UID };
    await using server = await cli.serve(SERVER, start);
    assertHard(server);
    assertPrivate(path("server"));
    const asUser = async (...words: readonly string[]): Promise<string> => {
      return (await ended(cli.start(words, start))).out;
    };
    const bundle = path("bundle.pem");
    writeFileSync(bundle, await asUser("bundle", "show"));
    await using agent = await cli.serve(
      [
        "agent",
        "run",
        "--trust-domain=example.org",
        `--data-dir=${path("agent")}`,
        `--server=127.0.0.1:${/port (\d+)/.exec(server.said)?.[1] ?? ""}`,
        `--trust-bundle=${bundle}`,
        `--workload-socket=${path("workload.sock")}`,
        `--join-token=${(await asUser("token", "create")).trim()}`,
      ],
      start,
    );
    assertHard(agent);
    assertPrivate(path("agent"));
    assert.match(await asUser("server", "healthcheck"), /^the server serves/);
    assert.match(
      await asUser("agent", "healthcheck", `--socket=${path("workload.sock")}`),
      /serves/,
    );
    for (const one of [agent, server]) {
      await one[Symbol.asyncDispose]();
      const { code, err } = await one.end;
      assert.equal(code, 0, err);
      assert.doesNotMatch(err, /[Dd]ebugger/);
    }
  },
);

test(
  "a process that holds keys does not start where a debugger is, or could be opened by a signal",
  options,
  async () => {
    for (const nodeFlags of [[], ["--inspect=127.0.0.1:0", "--disable-sigusr1"]]) {
      for (const command of [SERVER, ["agent", "run"]]) {
        const { code, err } = await ended(cli.start(command, { nodeFlags }));
        assert.equal(code, 1, err);
        assert.match(err, /PLATFORM_UNSUPPORTED/);
      }
    }
  },
);
