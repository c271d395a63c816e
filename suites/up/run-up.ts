import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";

/** A run of `bonafide up`. */
export interface UpRun {
  readonly process: ChildProcess;
  /** Lines of both streams, as far as they came. */
  readonly lines: readonly string[];
  /** Resolves at the first line that matches; rejects when it ended before. */
  until(pattern: RegExp): Promise<string>;
  /** Resolves with the exit code, null when a signal ended it. */
  readonly ended: Promise<number | null>;
}

/** Starts `bonafide up`, by the launcher of a checkout or by other words. */
export function startUp(options: {
  readonly command: readonly [string, ...string[]];
  readonly cwd: string;
  readonly uid?: number;
  /** Default: a PATH, and a home where it runs. */
  readonly environment?: Readonly<Record<string, string>>;
}): UpRun {
  const [program, ...args] = options.command;
  const child = spawn(program, args, {
    cwd: options.cwd,
    stdio: ["ignore", "pipe", "pipe"],
    env: options.environment ?? { PATH: process.env["PATH"] ?? "", HOME: options.cwd },
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  });
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => {
      lines.push(line);
      for (const look of waiting) look();
    });
  }
  const ended = once(child, "close").then(() => child.exitCode);
  return {
    process: child,
    lines,
    ended,
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = lines.find((line) => pattern.test(line));
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
        child.once("close", () => {
          reject(new Error(`ended without ${String(pattern)}:\n${lines.join("\n")}`));
        });
      }),
  };
}

/** Whether a process is there; a zombie that nobody has reaped is not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
