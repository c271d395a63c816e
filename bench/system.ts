import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { type Bench, type Sample, sampleOf, type WindowOptions } from "./harness/bench.ts";

const BUNDLE = "dist/bonafide.mjs";
/** How long a process rests before it is weighed, ms: longer than the heap's own idle collection takes to settle. */
const REST_MS = 5000;
const RSS_LINE = /^VmRSS:\s+(\d+) kB$/m;

/** Whole processes: how long the demo takes, and what an idle server and an idle agent weigh beside Node alone. */
export const benches: readonly Bench[] = [
  { name: "up-once", unit: "ms", target: { of: "value", atMost: 3000 }, run: measureUp },
  {
    name: "server-rss",
    unit: "MB",
    target: { of: "value", atMost: 60 },
    run: (options) => overBareNode(options, "server"),
  },
  {
    name: "agent-rss",
    unit: "MB",
    target: { of: "value", atMost: 45 },
    run: (options) => overBareNode(options, "agent"),
  },
];

/** A warm run: store, node, entries and the cache of compiled code are there from a first one. */
function measureUp(): Promise<Sample> {
  const folder = mkdtempSync(join(tmpdir(), "bf-up-"));
  try {
    runUp(folder);
    const begun = performance.now();
    runUp(folder);
    return Promise.resolve(sampleOf(performance.now() - begun, null));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function runUp(folder: string): void {
  const done = spawnSync(
    join(process.cwd(), "bonafide"),
    ["up", "--once", "--data-dir", join(folder, "data")],
    {
      encoding: "utf8",
    },
  );
  if (done.status !== 0) throw new Error(`up --once: exit ${done.status ?? "?"}: ${done.stderr}`);
}

/** Resident memory over that of a Node that only waits, bundled and idle, MB. */
async function overBareNode({ brief }: WindowOptions, what: "server" | "agent"): Promise<Sample> {
  if (!existsSync(BUNDLE)) throw new Error(`${BUNDLE} is missing: npm run build`);
  const restMs = brief ? 0 : REST_MS;
  const folder = mkdtempSync(join(tmpdir(), "bf-rss-"));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => {
    rmSync(folder, { recursive: true });
  });
  const start = async (args: readonly string[]): Promise<number> => {
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"], env: {} });
    stack.defer(() => stop(child));
    return firstLine(child);
  };
  const bare = await start([
    "--disable-sigusr1",
    "-e",
    "console.log(0); setInterval(() => {}, 1e6)",
  ]);
  const run = ["--disable-sigusr1", BUNDLE];
  const quiet = ["--log-level", "error", "--trust-domain", "example.org"];
  const serverSocket = join(folder, "server", "private", "admin.sock");
  const server = await start([
    ...run,
    "server",
    "run",
    "--json",
    "--listen=127.0.0.1:0",
    `--data-dir=${join(folder, "server")}`,
    ...quiet,
  ]);
  let weighed = server;
  if (what === "agent") {
    const token = bonafide(["token", "create", "--socket", serverSocket, "--json"]);
    weighed = await start([
      ...run,
      "agent",
      "run",
      "--json",
      `--server=127.0.0.1:${ports.get(server) ?? ""}`,
      `--data-dir=${join(folder, "agent")}`,
      "--insecure-bootstrap",
      `--join-token=${token}`,
      `--workload-socket=${join(folder, "w", "agent.sock")}`,
      ...quiet,
    ]);
  }
  await sleep(restMs);
  return sampleOf(rssOf(weighed) - rssOf(bare), null);
}

/** Ports that started servers told, by pid. */
const ports = new Map<number, string>();

async function firstLine(child: ChildProcess): Promise<number> {
  const pid = child.pid ?? -1;
  if (child.stdout === null) throw new Error("no output");
  const lines = createInterface({ input: child.stdout });
  const line = await Promise.race([
    once(lines, "line").then(([text]) => String(text)),
    once(child, "exit").then(([code]) => {
      throw new Error(`ended with ${String(code)} before it was ready`);
    }),
  ]);
  ports.set(pid, /"port":\s*"(\d+)"/.exec(line)?.[1] ?? "");
  return pid;
}

function bonafide(words: readonly string[]): string {
  const done = spawnSync(process.execPath, [BUNDLE, ...words], { encoding: "utf8" });
  const token = /"(?:token|value)":\s*"([^"]+)"/.exec(done.stdout)?.[1];
  if (token === undefined) throw new Error(`${words.join(" ")}: ${done.stdout}${done.stderr}`);
  return token;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill("SIGTERM");
  await once(child, "exit");
}

function rssOf(pid: number): number {
  const kB = RSS_LINE.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kB) / 1024;
}
