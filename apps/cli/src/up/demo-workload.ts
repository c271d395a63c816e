import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline";
import { execAs } from "@bonafide/agent/launch";
import { type DemoEvent, parseDemoEvent } from "../demo/events.ts";

/** A running demo workload. */
export interface DemoWorkload {
  readonly pid: number;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/** Options of {@link startNamed} and {@link startUnnamed}. */
export interface DemoWorkloadOptions {
  /** Path of its program. */
  readonly program: string;
  readonly args: readonly string[];
  readonly workloadSocket: string;
  readonly uid: number | undefined;
  /** Where its compiled code is kept; none: nowhere. */
  readonly codeCache: string | undefined;
  /** Takes what it writes beside its events. */
  readonly logFile: string;
  readonly onEvent: (event: DemoEvent) => void;
}

/** Starts a workload under a name, exactly as `bonafide exec --as NAME` does. */
export async function startNamed(
  options: DemoWorkloadOptions & {
    readonly name: string;
    readonly adminSocket: string;
    readonly cli: readonly string[];
  },
): Promise<DemoWorkload> {
  const { name, adminSocket, cli, program, args, uid } = options;
  const launched = await execAs({
    name,
    adminSocketPath: adminSocket,
    child: [
      process.execPath,
      ...cli,
      "exec",
      "--as",
      name,
      "--",
      process.execPath,
      program,
      ...args,
    ],
    env: { ...environment(options), BONAFIDE_EXEC_INNER: "1" },
    cwd: "/",
    stdio: "pipe",
    ...(uid === undefined ? {} : { user: { uid, gid: uid } }),
  });
  follow(launched.process, options);
  await launched.named;
  return {
    pid: launched.process.pid ?? -1,
    ended: launched.ended.then(() => undefined),
    async stop() {
      launched.kill("SIGTERM");
      await launched.ended;
    },
  };
}

/** Starts the same program by itself, as anybody could. */
export function startUnnamed(options: DemoWorkloadOptions): DemoWorkload {
  const { program, args, uid } = options;
  const child = spawn(process.execPath, [program, ...args], {
    env: environment(options),
    cwd: "/",
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  const ended = new Promise<void>((resolve) => {
    child.once("close", () => {
      resolve();
    });
  });
  follow(child, options);
  return {
    pid: child.pid ?? -1,
    ended,
    async stop() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

function environment(options: DemoWorkloadOptions): Readonly<Record<string, string>> {
  return {
    PATH: process.env["PATH"] ?? "/usr/bin:/bin",
    SPIFFE_ENDPOINT_SOCKET: `unix://${options.workloadSocket}`,
    ...(options.codeCache === undefined ? {} : { NODE_COMPILE_CACHE: options.codeCache }),
  };
}

function follow(child: ChildProcess, options: DemoWorkloadOptions): void {
  const log = createWriteStream(options.logFile, { flags: "a", mode: 0o600 });
  child.stderr?.pipe(log, { end: false });
  if (child.stdout === null) return;
  createInterface({ input: child.stdout }).on("line", (line) => {
    const event = parseDemoEvent(line);
    if (event === undefined) log.write(`${line}\n`);
    else options.onEvent(event);
  });
  child.once("close", () => {
    log.end();
  });
}
