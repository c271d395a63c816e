import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ATTESTATION_STEPS } from "@bonafide/agent/testing";
import { openX509Source, type X509Source } from "@bonafide/spiffe";
import { CLI, Plane, until } from "./plane.ts";
import { type Program, startProgram } from "./program.ts";

const CRASHING = fileURLToPath(new URL("entries/crashing.ts", import.meta.url));
/** Points of the launcher's slots, in the order in which one start passes them. */
const LAUNCHER_POINTS = ["slot-opened", "slot-matched", "slot-bound", "slot-kept"];
const OPTIONS = { timeout: 300_000 };

let plane: Plane;
before(async () => {
  plane = await Plane.open();
  await plane.start();
  await plane.entry("/caller", `unix:uid:${process.getuid?.() ?? 0}`, { ttl: 3600 });
  await plane.entry("/launched", "launcher:name:crashed", { ttl: 3600 });
}, OPTIONS);
after(async () => {
  await plane[Symbol.asyncDispose]();
}, OPTIONS);

const note = (): string => join(plane.dir, "crashed-at");
/** Of the agent; 0 where we are not root, from whom it keeps its procfs closed, also from its own user. */
const descriptors = (): number =>
  process.geteuid?.() === 0 ? readdirSync(`/proc/${plane.agent.pid}/fd`).length : 0;
const slots = (): string => {
  const path = plane.path("agent", "slots.json");
  return existsSync(path) ? readFileSync(path, "utf8") : "";
};

/** Replaces the running agent by one that dies at a point. */
async function armAgent(point: string): Promise<void> {
  await plane.agent.kill();
  rmSync(note(), { force: true });
  const env = { CRASH_AT: point, CRASH_NOTE: note() };
  await plane.served(plane.startAgent({ entry: CRASHING, env }), "agent");
}

/** Starts the published agent again, once the other one has died where it should. */
async function restartAgent(point: string): Promise<void> {
  assert.deepEqual(await plane.agent.ended, { code: null, signal: "SIGKILL" });
  assert.equal(readFileSync(note(), "utf8"), point, "it died there and nowhere else");
  await plane.served(plane.startAgent(), "agent");
}

const openSource = (): Promise<X509Source> =>
  openX509Source({ address: `unix://${plane.workloadSocket}` });

/** A caller that is served, leaves, and is forgotten. */
async function seenAndGone(source: X509Source): Promise<void> {
  assert.equal(source.current().id, "spiffe://example.org/caller");
  assert.equal((await plane.status()).streams, 1);
  await source.close();
  await until("no stream left", async () => (await plane.status()).streams === 0);
}

/** Starts a program under a name, as anybody would. */
function launch(): Program {
  return startProgram({
    command: [
      CLI,
      "exec",
      "--as=crashed",
      `--socket=${plane.path("aa", "s")}`,
      `--workload-socket=${plane.workloadSocket}`,
      "--",
      "/bin/sleep",
      "600",
    ],
    logFile: join(plane.dir, "launch.log"),
  });
}

/** What a killed agent must not leave: half-written files, which may hold a key. One that the running agent is about to finish is gone in a moment. */
async function untilNothingHalfWritten(): Promise<void> {
  await until(
    "no half-written file",
    () => !readdirSync(plane.path("agent")).some((name) => /\.(?:new|next)$/.test(name)),
  );
}

test("every step of an attestation is a crash point, and none is there twice", () => {
  const names = ATTESTATION_STEPS.map(({ name }) => name);
  assert.ok(names.length > 0);
  assert.equal(new Set(names).size, names.length);
});

for (const { name: point } of ATTESTATION_STEPS) {
  test(
    `an agent killed at ${point}: the caller is served by the next one, and nothing is left`,
    OPTIONS,
    async () => {
      await armAgent(point);
      const opening = openSource();
      await restartAgent(point);
      await seenAndGone(await opening);
      await until("it follows its server", async () => (await plane.status()).lastSyncAtMs > 0n);
      // What the first caller made the agent open for good is no leak; what each later one adds is.
      const idle = descriptors();
      for (let i = 0; i < 3; i++) await seenAndGone(await openSource());
      await until("no more descriptors than before", () => descriptors() <= idle);
      await untilNothingHalfWritten();
    },
  );
}

for (const point of LAUNCHER_POINTS) {
  test(
    `an agent killed at ${point}: a later launch works, and no slot is left over`,
    OPTIONS,
    async () => {
      await armAgent(point);
      const first = launch();
      await restartAgent(point);
      await first.stop();
      await until("no slot of the first launch", () => !slots().includes('"crashed"'));
      const second = launch();
      await until("the second launch has a slot", () => slots().includes('"crashed"'));
      await second.stop();
      await until("no slot", () => slots() !== "" && !slots().includes('"crashed"'));
      await untilNothingHalfWritten();
    },
  );
}
