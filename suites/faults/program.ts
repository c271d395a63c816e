import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline";
import { Readable, Writable } from "node:stream";

/** Options of {@link startProgram}. */
export interface ProgramOptions {
  /** Entry file and words after Node's own flags. */
  readonly command: readonly string[];
  /** Takes standard output and error, appended. */
  readonly logFile: string;
  /** Handed over on descriptor 4. */
  readonly secret?: string | undefined;
  readonly env?: Readonly<Record<string, string>>;
  readonly uid?: number | undefined;
}

/** How a program ended. */
export interface ProgramEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process of this suite. */
export interface Program {
  readonly pid: number;
  /** What it said on descriptor 3 when it served; undefined when it ended before. */
  readonly ready: Promise<Readonly<Record<string, string>> | undefined>;
  readonly ended: Promise<ProgramEnd>;
  /** Whether it has not ended. */
  readonly isRunning: boolean;
  /** Sends a signal. */
  signal(name: NodeJS.Signals): void;
  /** SIGKILL, and waits for the end. */
  kill(): Promise<ProgramEnd>;
  /** SIGTERM, and waits for the end. */
  stop(): Promise<ProgramEnd>;
}

/** Starts `node --disable-sigusr1 COMMAND`, with a ready pipe on descriptor 3 and a secret on 4. */
export function startProgram(options: ProgramOptions): Program {
  const log = openSync(options.logFile, "a", 0o600);
  const { uid } = options;
  const child = spawn(process.execPath, ["--disable-sigusr1", ...options.command], {
    stdio: ["ignore", log, log, "pipe", "pipe"],
    env: { PATH: process.env["PATH"] ?? "", ...options.env },
    detached: true,
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  closeSync(log);
  const secret: unknown = child.stdio[4];
  if (secret instanceof Writable) {
    secret.on("error", () => undefined);
    secret.end(options.secret ?? "");
  }
  const ended = endOf(child);
  const kill = (name: NodeJS.Signals): Promise<ProgramEnd> => {
    child.kill(name);
    return ended;
  };
  return {
    pid: child.pid ?? -1,
    ready: readReady(child, ended),
    ended,
    get isRunning() {
      return child.exitCode === null && child.signalCode === null;
    },
    signal: (name) => {
      child.kill(name);
    },
    kill: () => kill("SIGKILL"),
    stop: () => kill("SIGTERM"),
  };
}

async function endOf(child: ChildProcess): Promise<ProgramEnd> {
  await once(child, "exit");
  return { code: child.exitCode, signal: child.signalCode };
}

async function readReady(
  child: ChildProcess,
  ended: Promise<ProgramEnd>,
): Promise<Readonly<Record<string, string>> | undefined> {
  const pipe: unknown = child.stdio[3];
  if (!(pipe instanceof Readable)) throw new Error("no descriptor 3");
  pipe.on("error", () => undefined);
  const line = new Promise<string>((resolve) => {
    createInterface({ input: pipe }).once("line", resolve);
  });
  const said = await Promise.race([line, ended.then(() => undefined)]);
  if (said === undefined) return undefined;
  const value: unknown = JSON.parse(said);
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(Object.entries(value).map(([key, text]) => [key, String(text)]));
}

/** The last lines of a log, for messages of failed assertions. */
export function tailOf(logFile: string, lines = 12): string {
  return readFileSync(logFile, "utf8").split("\n").slice(-lines).join("\n");
}
