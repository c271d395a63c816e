import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Checkout, copyCheckout } from "./checkout.ts";
import { isAlive, startUp, type UpRun } from "./run-up.ts";

const isRoot = process.getuid?.() === 0;
const OTHER_UID = 61_500;
const LATER = fileURLToPath(new URL("later/main.ts", import.meta.url));
const options = { timeout: 300_000 };

let checkout: Checkout;
before(() => {
  checkout = copyCheckout({ mode: 0o755 });
}, options);
after(() => {
  checkout[Symbol.dispose]();
});

function workFolder(name: string): string {
  const path = join(checkout.work, name);
  mkdirSync(path, { recursive: true });
  return path;
}

function assertProven(lines: readonly string[]): void {
  const text = lines.join("\n");
  assert.match(text, /over HTTPS: Hello spiffe:\/\/example\.org\/visitor from the server/);
  assert.match(text, /over gRPC: Hello spiffe:\/\/example\.org\/visitor from the server/);
  assert.match(text, /third process .*: refused/);
  assert.match(text, /entry\.launcher_missing/);
  assert.ok(lines.length <= 40, `${lines.length} lines`);
  assert.doesNotMatch(text, /[Ww]arning/);
}

test(
  "root in a folder that all may read: both proven, a user each, which is a boundary",
  { ...options, skip: isRoot ? false : "needs root, to be another user" },
  async () => {
    const run = startUp({
      command: [join(checkout.root, "bonafide"), "up", "--once"],
      cwd: workFolder("root"),
    });
    assert.equal(await run.ended, 0, run.lines.join("\n"));
    assertProven(run.lines);
    assert.ok(run.lines.some((line) => /^kept apart: by user \(\d+, \d+\), a boundary/.test(line)));
  },
);

test(
  "root in a folder of its own only: no other user can read the programs, so a label, and it says so",
  { ...options, skip: isRoot ? false : "needs root, to be another user" },
  async () => {
    using closed = copyCheckout({ mode: 0o700 });
    const run = startUp({
      command: [join(closed.root, "bonafide"), "up", "--once"],
      cwd: closed.work,
    });
    assert.equal(await run.ended, 0, run.lines.join("\n"));
    assertProven(run.lines);
    assert.ok(
      run.lines.some((line) => line.startsWith("kept apart: by label only; any process of uid 0 ")),
    );
  },
);

test("a user who is not root: a label, and it names the user", options, async () => {
  const cwd = workFolder("user");
  const uid = isRoot ? OTHER_UID : undefined;
  if (uid !== undefined) chownSync(cwd, uid, uid);
  const run = startUp({
    command: [join(checkout.root, "bonafide"), "up", "--once"],
    cwd,
    ...(uid === undefined ? {} : { uid }),
  });
  assert.equal(await run.ended, 0, run.lines.join("\n"));
  assertProven(run.lines);
  const own = uid ?? process.getuid?.() ?? 0;
  const worth = new RegExp(`^kept apart: by label only; any process of uid ${own} `);
  assert.ok(run.lines.some((line) => worth.test(line)));
  const exported = run.lines.find((line) => line.includes("SPIFFE_ENDPOINT_SOCKET="));
  assert.match(exported ?? "", /unix:\/\/\/(tmp|run)\//);
});

test(
  "run again it goes on, and eight days later too: same domain, node and entries",
  options,
  async () => {
    const cwd = workFolder("again");
    const launcher = join(checkout.root, "bonafide");
    const node = [process.execPath, "--disable-sigusr1"] as const;
    const ids: string[] = [];
    for (const command of [
      [launcher, "up", "--once"],
      [launcher, "up", "--once"],
      [...node, LATER, "up", "--once"],
    ] as const) {
      const run = startUp({ command: [...command], cwd });
      assert.equal(await run.ended, 0, run.lines.join("\n"));
      assertProven(run.lines);
      ids.push(
        /spiffe:\S+/.exec(run.lines.find((line) => line.startsWith("agent ")) ?? "")?.[0] ?? "",
      );
    }
    assert.equal(new Set(ids).size, 1, ids.join("\n"));
  },
);

test(
  "while it runs: the commands answer, a second run is refused, Ctrl-C stops all of it",
  options,
  async () => {
    const cwd = workFolder("running");
    const launcher = join(checkout.root, "bonafide");
    const run = startUp({ command: [launcher, "up"], cwd });
    await run.until(/^next: /);
    const json = (...words: string[]): unknown =>
      JSON.parse(execFileSync(launcher, [...words, "--json"], { cwd, encoding: "utf8" }));
    const listed = json("entry", "list");
    assert.equal(JSON.stringify(listed).match(/"spiffeId":/g)?.length, 3);
    assert.match(JSON.stringify(json("ledger", "verify")), /"clean":true/);
    assert.match(JSON.stringify(json("server", "healthcheck")), /"healthy":true/);
    await sayHello(launcher, cwd);
    const second = startUp({ command: [launcher, "up", "--once"], cwd });
    assert.equal(await second.ended, 75);
    assert.match(second.lines.join("\n"), /DATA_DIR_LOCKED/);
    const sessions = childrenOf(run.process.pid ?? 0);
    assert.ok(sessions.length >= 4, `${sessions.length} children`);
    run.process.kill("SIGINT");
    assert.equal(await run.ended, 0, run.lines.join("\n"));
    assert.deepEqual(sessions.filter(isAlive), []);
  },
);

test(
  "killed without a word, it leaves nobody behind, and the next run goes on",
  options,
  async () => {
    const cwd = workFolder("killed");
    const launcher = join(checkout.root, "bonafide");
    const run = startUp({ command: [launcher, "up"], cwd });
    await run.until(/^next: /);
    const children = childrenOf(run.process.pid ?? 0);
    run.process.kill("SIGKILL");
    await run.ended;
    // Server and agent end with their parent's socket; the workloads when they next have something to tell.
    for (let tries = 0; children.some(isAlive) && tries < 600; tries++) await sleep(100);
    assert.deepEqual(children.filter(isAlive), []);
    const next = startUp({ command: [launcher, "up", "--once"], cwd });
    assert.equal(await next.ended, 0, next.lines.join("\n"));
  },
);

test("it works from a folder whose path is 200 bytes long", options, async () => {
  const cwd = workFolder(join("d".repeat(80), "e".repeat(200 - 80)).slice(0, 200));
  assert.ok(cwd.length >= 200);
  const run = startUp({ command: [join(checkout.root, "bonafide"), "up", "--once"], cwd });
  assert.equal(await run.ended, 0, run.lines.join("\n"));
  assertProven(run.lines);
});

test("a port that is taken is named, and not only the log that says so", options, async () => {
  const cwd = workFolder("taken");
  const taken = createServer();
  await once(taken.listen(0, "127.0.0.1"), "listening");
  const address = taken.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const command = [
    join(checkout.root, "bonafide"),
    "up",
    "--once",
    `--server-port=${port}`,
  ] as const;
  const run = startUp({ command, cwd });
  assert.equal(await run.ended, 69);
  assert.match(run.lines.join("\n"), new RegExp(`cannot listen on 127\\.0\\.0\\.1:${port}: `));
  taken.close();
});

test(
  "a data folder that is open to others is refused, with the command that mends it",
  options,
  async () => {
    const cwd = workFolder("open");
    mkdirSync(join(cwd, ".bonafide"), { mode: 0o755 });
    const run = startUp({ command: [join(checkout.root, "bonafide"), "up", "--once"], cwd });
    assert.notEqual(await run.ended, 0);
    assert.match(run.lines.join("\n"), /DATA_DIR_UNSAFE/);
    assert.match(run.lines.join("\n"), /chmod 700/);
  },
);

/** Does what examples/README.md says: entries, a server and a client under their names, and one without a name. */
async function sayHello(launcher: string, cwd: string): Promise<void> {
  const page = readFileSync(join(checkout.root, "examples", "README.md"), "utf8");
  const lines = Array.from(page.matchAll(/^\.\/bonafide .*$/gm), ([line]) =>
    line
      .replace("./bonafide", launcher)
      .replaceAll(/(?<= )(?=examples\/|node_modules\/)/g, `${checkout.root}/`),
  );
  assert.equal(lines.length, 4);
  const start = (line = ""): UpRun => startUp({ command: ["sh", "-c", `exec ${line}`], cwd });
  for (const entry of lines.slice(0, 2)) {
    const run = start(entry);
    assert.equal(await run.ended, 0, run.lines.join("\n"));
  }
  // The page's port may be taken here.
  const server = start(lines[2]?.replace(" 8443", " 0"));
  const listening = await server.until(/ listens on 127\.0\.0\.1:\d+$/);
  const call = lines[3]?.replace("8443", /\d+$/.exec(listening)?.[0] ?? "");
  const client = start(call);
  assert.equal(await client.ended, 0, client.lines.join("\n"));
  assert.deepEqual(client.lines, ["Hello spiffe://example.org/hello-client from the server"]);
  const unnamed = start(`env ${agentOf(cwd)} ${call?.split(" -- ")[1]}`);
  await unnamed.until(/^waiting for an identity: .*bonafide why d-.*\(NO_IDENTITY_ISSUED\)$/);
  for (const run of [unnamed, server]) {
    run.process.kill("SIGTERM");
    await run.ended;
  }
}

function agentOf(cwd: string): string {
  return `SPIFFE_ENDPOINT_SOCKET=unix://${realpathSync(join(cwd, ".bonafide", "workload.sock"))}`;
}

function childrenOf(pid: number): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((other) => {
      const stat = `/proc/${other}/stat`;
      if (!existsSync(stat)) return false;
      const parent = Number(readFileSync(stat, "utf8").split(") ").at(-1)?.split(" ")[1]);
      return parent === pid;
    });
}
