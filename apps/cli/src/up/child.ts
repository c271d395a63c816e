import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { BonafideError } from "@bonafide/errors";
import { CLI_ERRORS } from "../errors.ts";

/** Options of {@link startChild}. */
export interface ChildOptions {
  /** Name for messages, such as `server`. */
  readonly name: string;
  /** How this program is started again: Node's flags, then its entry file. */
  readonly cli: readonly string[];
  /** Words after that. */
  readonly words: readonly string[];
  /** File that takes its standard output and error. */
  readonly logFile: string;
  /** Handed over on descriptor 4, such as a join token: neither argv nor environment show it. */
  readonly secret?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** A process of ours that runs until stopped. */
export interface Child {
  readonly pid: number;
  /** The one JSON line that it writes on descriptor 3 once it serves; it ends when that closes. */
  readonly ready: Promise<Readonly<Record<string, string>>>;
  /** Resolves when it has ended, however. */
  readonly ended: Promise<void>;
  /** SIGTERM, then SIGKILL after `graceMs`; resolves when it has ended. */
  stop(graceMs?: number): Promise<void>;
}

/** Starts this same program with other words, as a process group of its own so that Ctrl-C reaches only us. */
export function startChild(options: ChildOptions): Child {
  const log = createWriteStream(options.logFile, { flags: "a", mode: 0o600 });
  const child = spawn(process.execPath, [...options.cli, ...options.words], {
    stdio: ["ignore", "pipe", "pipe", "pipe", "pipe"],
    env: options.env ?? process.env,
    detached: true,
  });
  child.stdout?.pipe(log, { end: false });
  child.stderr?.pipe(log, { end: false });
  const secretPipe = child.stdio[4];
  if (secretPipe !== null && secretPipe !== undefined && "end" in secretPipe) {
    // A child that dies before it reads must not take us with it.
    secretPipe.on("error", () => undefined);
    secretPipe.end(options.secret ?? "");
  }
  const ended = new Promise<void>((resolve) => {
    child.once("close", () => {
      log.end();
      resolve();
    });
    child.once("error", () => {
      resolve();
    });
  });
  const ready = readReady(child, options);
  // Asked for later, or never when something else fails first.
  ready.catch(() => undefined);
  return {
    pid: child.pid ?? -1,
    ready,
    ended,
    async stop(graceMs = 5000) {
      child.kill("SIGTERM");
      const kill = setTimeout(() => child.kill("SIGKILL"), graceMs);
      await ended;
      clearTimeout(kill);
    },
  };
}

/** How a failure that is meant for people begins. */
const OWN_WORDS = "bonafide: ";

function readReady(
  child: ChildProcess,
  options: ChildOptions,
): Promise<Readonly<Record<string, string>>> {
  return new Promise((resolve, reject) => {
    const pipe = child.stdio[3];
    if (!isReadable(pipe)) {
      reject(new Error("no descriptor 3"));
      return;
    }
    createInterface({ input: pipe }).once("line", (line) => {
      resolve(parseReady(line));
    });
    child.once("error", reject);
    // Its own last word says more than that it ended; the log has the rest.
    let reason = "";
    if (child.stderr !== null) {
      createInterface({ input: child.stderr }).on("line", (line) => {
        if (line.startsWith(OWN_WORDS)) reason = `: ${line.slice(OWN_WORDS.length)}`;
      });
    }
    child.once("close", (code, signal) => {
      const how = signal === null ? `with exit code ${code ?? "?"}` : `by ${signal}`;
      reject(
        new BonafideError(
          CLI_ERRORS,
          "PROCESS_ENDED",
          `the ${options.name} ended ${how} before it served${reason}`,
          { details: { next: `read the end of ${options.logFile}` } },
        ),
      );
    });
  });
}

function isReadable(value: unknown): value is Readable {
  return typeof value === "object" && value !== null && "readable" in value;
}

function parseReady(line: string): Readonly<Record<string, string>> {
  const value: unknown = JSON.parse(line);
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(Object.entries(value).map(([key, text]) => [key, String(text)]));
}
