import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { createInterface, type Interface } from "node:readline";
import { suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ATTESTATION_STEPS } from "@bonafide/agent/testing";
import { MS_MAX } from "./attack-bench.ts";

const AGENT = fileURLToPath(new URL("crashing-agent.ts", import.meta.url));
const LAUNCHER_POINTS = ["slot-opened", "slot-matched", "slot-bound", "slot-kept"] as const;

/** An agent that can be killed at a point and started again on the same folder. */
class CrashBench implements AsyncDisposable {
  readonly folder: string = mkdtempSync("/tmp/bf-");
  readonly path: string = join(this.folder, "o/s");
  readonly #children: ChildProcess[] = [];

  constructor() {
    chmodSync(this.folder, 0o755);
  }

  /** Starts the agent, to die at `point`. */
  async agent(point?: string): Promise<ChildProcess> {
    const args = [AGENT, this.path, join(this.folder, "slots.json")];
    const child = spawn(process.execPath, point === undefined ? args : [...args, point], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#children.push(child);
    assert.deepEqual(await once(createInterface(child.stdout), "line"), ["listening"]);
    return child;
  }

  /** A program that leads its session and says each line of its input on a new connection. */
  workload(): { readonly child: ChildProcess; readonly lines: Interface } {
    const script = `require("readline").createInterface({input:process.stdin}).on("line",(l)=>{
      const s=require("net").connect(process.argv[1],()=>s.write(l));let t="";
      s.on("data",(d)=>{t+=d;if(t.endsWith("\\n")){process.stdout.write(t);s.destroy()}});
      s.on("end",()=>{if(t==="")process.stdout.write("cut\\n");s.destroy()});s.on("error",()=>{process.stdout.write("cut\\n")})})`;
    const child = spawn(process.execPath, ["-e", script, this.path], {
      detached: true,
      env: {},
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#children.push(child);
    return { child, lines: createInterface(child.stdout) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const exit = once(child, "exit");
      child.kill("SIGKILL");
      await exit;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function ask(
  workload: { child: ChildProcess; lines: Interface },
  line: string,
): Promise<string> {
  const answer = once(workload.lines, "line");
  workload.child.stdin?.write(`${line}\n`);
  const [text]: unknown[] = await answer;
  return String(text);
}

suite("the agent is killed at every step", () => {
  assert.ok(ATTESTATION_STEPS.length > 0);
  for (const { name } of ATTESTATION_STEPS) {
    test(
      `attestation, at ${name}: nothing is answered, and the next agent answers`,
      { timeout: MS_MAX },
      async () => {
        await using bench = new CrashBench();
        const first = await bench.agent(name);
        const workload = bench.workload();
        const exit = once(first, "exit");
        assert.equal(await ask(workload, "c"), "cut");
        // A step that is not reached would leave the agent alive: then this never comes.
        assert.deepEqual(await exit, [null, "SIGKILL"]);
        assert.equal(existsSync(bench.path), true);
        await bench.agent();
        assert.match(await ask(workload, "c"), new RegExp(`unix:uid:${process.geteuid?.()}( |$)`));
      },
    );
  }

  for (const point of LAUNCHER_POINTS) {
    test(
      `launch, at ${point}: the name is whole or not at all, and can be given again`,
      { timeout: MS_MAX },
      async () => {
        await using bench = new CrashBench();
        const first = await bench.agent(point);
        const workload = bench.workload();
        const exit = once(first, "exit");
        assert.equal(await ask(workload, "n"), "cut");
        assert.deepEqual(await exit, [null, "SIGKILL"]);
        await bench.agent();
        const seen = await ask(workload, "c");
        // Only what was durable before the answer is there.
        assert.equal(seen.includes("launcher:name:crash/test"), point === "slot-kept", seen);
        assert.equal(await ask(workload, "n"), "named");
        assert.match(await ask(workload, "c"), /launcher:name:crash\/test/);
      },
    );
  }

  test("a name given before a crash is there after it", { timeout: MS_MAX }, async () => {
    await using bench = new CrashBench();
    const first = await bench.agent();
    const workload = bench.workload();
    assert.equal(await ask(workload, "n"), "named");
    const exit = once(first, "exit");
    first.kill("SIGKILL");
    await exit;
    await bench.agent();
    assert.match(await ask(workload, "c"), /launcher:name:crash\/test/);
  });
});

test(
  "a socket left by a killed agent is refused at once, not waited for",
  { timeout: MS_MAX },
  async () => {
    await using bench = new CrashBench();
    const agent = await bench.agent();
    const exit = once(agent, "exit");
    agent.kill("SIGKILL");
    await exit;
    const socket = connect(bench.path);
    const [error]: unknown[] = await once(socket, "error").catch((cause: unknown) => [cause]);
    assert.equal(Reflect.get(Object(error), "code"), "ECONNREFUSED");
  },
);
