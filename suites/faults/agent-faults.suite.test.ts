import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { openX509Source } from "@bonafide/spiffe";
import { Plane, TD, until } from "./plane.ts";
import { CLI } from "./plane.ts";
import { startProgram, tailOf } from "./program.ts";

const SHIFTED = fileURLToPath(new URL("entries/shifted.ts", import.meta.url));
const OPTIONS = { timeout: 300_000 };
const UID = process.getuid?.() ?? 0;

test(
  "an agent whose disk is full: it renews itself and serves, twice as long as its own SVID lives",
  OPTIONS,
  async () => {
    await using plane = await Plane.open();
    await plane.start({ server: { flags: ["--agent-svid-ttl=8s"] } });
    await plane.entry("/self", `unix:uid:${UID}`, { ttl: 8 });
    await using source = await openX509Source({ address: `unix://${plane.workloadSocket}` });
    const { pid } = plane.agent;
    execFileSync("prlimit", [`--pid=${pid}`, "--fsize=0:unlimited"]);
    const end = Date.now() + 20_000;
    await until("20 s of it", () => Date.now() > end, { withinMs: 60_000 });
    assert.ok(plane.agent.isRunning, plane.logOf("agent"));
    await until("a valid SVID", () => source.current().notAfter > Date.now());
    execFileSync("prlimit", [`--pid=${pid}`, "--fsize=unlimited:unlimited"]);
    // With room again it keeps what it has: an agent that is killed now comes back.
    await until("identity on disk", () => plane.eventsOf("agent").includes("identity.kept"));
    await plane.agent.kill();
    await plane.served(plane.startAgent(), "agent");
    await until("a valid SVID", () => source.current().notAfter > Date.now() + 1000);
  },
);

for (const seconds of [40, -40]) {
  test(`an agent whose clock is ${seconds} s off warns, joins and serves`, OPTIONS, async () => {
    await using plane = await Plane.open();
    const env = { SHIFT_MS: String(seconds * 1000) };
    await plane.start({ agent: { entry: SHIFTED, env } });
    await plane.entry("/self", `unix:uid:${UID}`, { ttl: 600 });
    await using source = await openX509Source({ address: `unix://${plane.workloadSocket}` });
    assert.equal(source.current().id, `spiffe://${TD}/self`);
    const offset = Number((await plane.status()).clockOffsetMs);
    assert.ok(Math.abs(offset - seconds * 1000) < 9000, `${offset}`);
    assert.ok(plane.eventsOf("agent").includes("clock.differs"));
  });
}

for (const minutes of [6, -6]) {
  test(
    `an agent whose clock goes ${minutes} min off issues nothing, says so, and serves once it is right`,
    OPTIONS,
    async () => {
      await using plane = await Plane.open();
      await plane.start();
      await plane.entry("/self", `unix:uid:${UID}`, { ttl: 600 });
      await plane.agent.kill();
      const env = { SHIFT_MS: String(minutes * 60_000) };
      plane.startAgent({ entry: SHIFTED, env });
      // Behind, the server's certificate has not begun yet; ahead, the server's time is heard and found too far.
      const says = minutes < 0 ? /PATH_NOT_YET_VALID/ : /clock\.refused/;
      await until("it says so", () => says.test(plane.logOf("agent")));
      const opening = openX509Source({ address: `unix://${plane.workloadSocket}` });
      await until("a caller refused", () => plane.eventsOf("agent").includes("caller.refused"));
      assert.ok(plane.agent.isRunning);
      await plane.agent.kill();
      await plane.served(plane.startAgent(), "agent");
      await using source = await opening;
      assert.equal(source.current().id, `spiffe://${TD}/self`);
    },
  );
}

test(
  "a token is good for one key: after a kill the same agent joins again, another one does not",
  OPTIONS,
  async () => {
    await using plane = await Plane.open();
    await plane.served(plane.startServer(), "server");
    const token = await plane.token();
    const first = plane.startAgent({ token });
    // Killed as soon as its key is on disk: before, during or after the token is spent.
    await until("a key", () => hasFile(plane.path("agent"), "joining.key"));
    await first.kill();
    const { id = "" } = await plane.served(plane.startAgent({ token }), "agent");
    assert.match(id, /\/spire\/agent\/join_token\//);
    await plane.agent.kill();
    const thief = plane.startAgent({ token, dataDir: "thief" });
    assert.equal(await thief.ready, undefined);
    assert.notEqual((await thief.ended).code, 0);
    assert.match(plane.logOf("agent"), /agent\.token_refused/);
    const again = await plane.served(plane.startAgent(), "agent");
    assert.equal(again["id"], id, "and the node itself is as before");
  },
);

test(
  "a second agent on the same folder is refused, and does no harm to the first",
  OPTIONS,
  async () => {
    await using plane = await Plane.open();
    await plane.start();
    await plane.entry("/self", `unix:uid:${UID}`, { ttl: 5 });
    const logFile = join(plane.dir, "second.log");
    const second = startProgram({
      command: [
        CLI,
        "agent",
        "run",
        "--parent-fd-3",
        `--trust-domain=${TD}`,
        `--data-dir=${plane.path("agent")}`,
        `--admin-socket=${plane.path("a2", "s")}`,
        `--workload-socket=${join(plane.dir, "w2", "agent.sock")}`,
        `--server=127.0.0.1:${plane.port}`,
      ],
      logFile,
    });
    assert.equal(await Promise.race([second.ready, second.ended.then(() => undefined)]), undefined);
    assert.notEqual((await second.kill()).code, 0);
    assert.match(tailOf(logFile), /AGENT_STATE_LOCKED/);
    await using source = await openX509Source({ address: `unix://${plane.workloadSocket}` });
    assert.equal(source.current().id, `spiffe://${TD}/self`);
    assert.ok(plane.agent.isRunning);
  },
);

function hasFile(folder: string, name: string): boolean {
  try {
    return readdirSync(folder).includes(name);
  } catch {
    return false; // the folder is not there yet
  }
}
