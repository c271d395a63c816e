import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { type Channel, openUnixChannel } from "@bonafide/rpc";

const BUNDLE = "dist/bonafide.mjs";
const TD = "example.org";
/** A call is answered at once; this only ends a hang. */
const CALL_MS = 120_000;

/** A server in a process of its own. Disposing stops it. */
export interface ServerProcess extends AsyncDisposable {
  readonly port: number;
  /** From its start to the line that says that it serves. */
  readonly startedMs: number;
  readonly admin: Channel;
  /** What all its threads have used of processors, ms. */
  cpuMs(): number;
}

/** The published program, from its start to the line that says that it serves. */
export async function startServer(folder: string): Promise<ServerProcess> {
  if (!existsSync(BUNDLE)) throw new Error(`${BUNDLE} is missing: npm run build`);
  const begun = performance.now();
  const data = join(folder, "server");
  const child = spawn(
    process.execPath,
    [
      "--disable-sigusr1",
      BUNDLE,
      "server",
      "run",
      "--json",
      "--listen=127.0.0.1:0",
      `--data-dir=${data}`,
      `--trust-domain=${TD}`,
      "--log-level=error",
    ],
    { stdio: ["ignore", "pipe", "inherit"], env: {} },
  );
  const lines = createInterface({ input: child.stdout });
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`the server ended with ${String(code)}`);
  });
  const line = await Promise.race([once(lines, "line").then(([text]) => String(text)), ended]);
  ended.catch(() => undefined);
  const startedMs = performance.now() - begun;
  const admin = openUnixChannel(join(data, "private", "admin.sock"), { timeoutMs: CALL_MS });
  return {
    cpuMs: () => cpuMsOf(child.pid ?? -1),
    port: Number(/"port":\s*"(\d+)"/.exec(line)?.[1]),
    startedMs,
    admin,
    async [Symbol.asyncDispose]() {
      admin.close();
      await stop(child);
    },
  };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill("SIGTERM");
  await once(child, "exit");
}

function cpuMsOf(pid: number): number {
  const tasks = `/proc/${pid}/task`;
  const used = readdirSync(tasks).map((task) =>
    Number(readFileSync(join(tasks, task, "schedstat"), "utf8").split(" ")[0]),
  );
  return used.reduce((sum, ns) => sum + ns, 0) / 1e6;
}
