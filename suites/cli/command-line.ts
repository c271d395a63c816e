import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { RealPlane } from "../properties/real-plane.ts";
import type { Checkout } from "../up/checkout.ts";

/** How a command ended. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A command may take so long; a command that hangs fails its test, not the whole suite. */
const TIMEOUT_MS = 60_000;

/** Sockets of a server and an agent. */
export interface Sockets {
  readonly server: string;
  readonly agent: string;
  readonly workload?: string;
}

/** How a command is started. */
export interface StartOptions {
  /** Default: this process's. */
  readonly uid?: number;
  /** Flags of Node, default those of the launcher. */
  readonly nodeFlags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Whether it is to be stopped by its test and not by time. */
  readonly forever?: boolean;
}

/** A command that goes on; disposing stops it. */
export interface Serving extends AsyncDisposable {
  readonly pid: number;
  /** Its first line. */
  readonly said: string;
  readonly end: Promise<Ended>;
  kill(signal: NodeJS.Signals): boolean;
}

/** The command line as a user of one plane has it: sockets in the environment. */
export class CommandLine {
  readonly #env: Readonly<Record<string, string | undefined>>;

  readonly #main: string;
  readonly #node: string;

  /** @param checkout  Whose program it is; default: this one, which other users may not be able to read. */
  constructor(sockets: Sockets, checkout?: Checkout) {
    const { server, agent, workload } = sockets;
    this.#env = {
      PATH: process.env["PATH"],
      BONAFIDE_SERVER_SOCKET: server,
      BONAFIDE_AGENT_SOCKET: agent,
      ...(workload === undefined ? {} : { SPIFFE_ENDPOINT_SOCKET: `unix://${workload}` }),
    };
    const own = checkout === undefined;
    this.#main = own
      ? fileURLToPath(import.meta.resolve("@bonafide/cli/main"))
      : join(checkout.root, "apps/cli/src/main.ts");
    this.#node = own ? process.execPath : join(checkout.root, "node_modules/.bin/node");
  }

  /** The command line as a user of one plane has it. */
  static of({ plane }: RealPlane, checkout?: Checkout): CommandLine {
    const { agentAdminSocket: agent, workloadSocket: workload } = plane;
    const server = agent.replace("/agent/", "/server/");
    return new CommandLine({ server, agent, workload }, checkout);
  }

  /** Starts a command. */
  start(words: readonly string[], options: StartOptions = {}): ChildProcess {
    const { uid, nodeFlags = ["--disable-sigusr1"], env } = options;
    return spawn(this.#node, [...nodeFlags, this.#main, ...words], {
      cwd: "/",
      env: { ...this.#env, ...env },
      ...(uid === undefined ? {} : { uid, gid: uid }),
      stdio: ["ignore", "pipe", "pipe"],
      timeout: options.forever === true ? 0 : TIMEOUT_MS,
      killSignal: "SIGKILL",
    });
  }

  /** Starts a command that goes on until it is stopped, and waits for its first result. */
  async serve(words: readonly string[], options: StartOptions = {}): Promise<Serving> {
    const child = this.start(words, { ...options, forever: true });
    const end = ended(child);
    let out = "";
    child.stdout?.on("data", (text: string) => (out += text));
    while (!out.includes("\n")) {
      const over = await Promise.race([once(child.stdout ?? child, "data"), end]);
      if (!Array.isArray(over)) throw new Error(`${words.join(" ")}: ${over.code}\n${over.err}`);
    }
    return {
      pid: child.pid ?? -1,
      said: out.slice(0, out.indexOf("\n")),
      end,
      kill: (signal) => child.kill(signal),
      async [Symbol.asyncDispose]() {
        child.kill("SIGTERM");
        await end;
      },
    };
  }

  /** Runs a command to its end. */
  async run(...words: readonly string[]): Promise<Ended> {
    return ended(this.start(words));
  }

  /** Runs a command that must succeed, as a machine would. @returns its JSON */
  async json(...words: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
    const { code, out, err } = await this.run(...words, "--json");
    if (code !== 0) throw new Error(`${words.join(" ")}: ${code}\n${err}`);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every command prints an object
    return JSON.parse(out) as Readonly<Record<string, unknown>>;
  }
}

/** Collects what a process writes until it ends. */
export async function ended(child: ChildProcess): Promise<Ended> {
  let out = "";
  let err = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (err += text));
  await once(child, "close");
  return { code: child.exitCode ?? -1, out, err };
}
