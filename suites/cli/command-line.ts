import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { RealPlane } from "../properties/real-plane.ts";

/** How a command ended. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A command may take so long; a command that hangs fails its test, not the whole suite. */
const TIMEOUT_MS = 60_000;

/** The command line as a user of one plane has it: sockets in the environment. */
export class CommandLine {
  readonly #env: Readonly<Record<string, string | undefined>>;

  constructor({ plane }: RealPlane) {
    this.#env = {
      PATH: process.env["PATH"],
      BONAFIDE_SERVER_SOCKET: plane.agentAdminSocket.replace("/agent/", "/server/"),
      BONAFIDE_AGENT_SOCKET: plane.agentAdminSocket,
      SPIFFE_ENDPOINT_SOCKET: `unix://${plane.workloadSocket}`,
    };
  }

  /** Starts a command. */
  start(words: readonly string[], uid = 0): ChildProcess {
    const main = fileURLToPath(import.meta.resolve("@bonafide/cli/main"));
    return spawn(process.execPath, ["--disable-sigusr1", main, ...words], {
      cwd: "/",
      env: this.#env,
      uid,
      gid: uid,
      stdio: ["ignore", "pipe", "pipe"],
      timeout: TIMEOUT_MS,
      killSignal: "SIGKILL",
    });
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
