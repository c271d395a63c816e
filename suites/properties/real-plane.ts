import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { openDataDir } from "@bonafide/cli/data-dir";
import { type DemoEvent, parseDemoEvent } from "@bonafide/cli/events";
import { NODE_PATH, Plane } from "@bonafide/cli/plane";
import type { SocketClient } from "@bonafide/cli/socket-client";
import { Entry } from "@bonafide/proto/spire/api/server/entry/v1/entry_pb";

const run = promisify(execFile);
const CLI = [
  "--disable-sigusr1",
  fileURLToPath(import.meta.resolve("@bonafide/cli/main")),
] as const;

/** A workload process and what it tells. */
export interface Workload {
  readonly events: readonly DemoEvent[];
  /** Resolves once the events fulfil a condition. */
  until(holds: (events: readonly DemoEvent[]) => boolean): Promise<void>;
}

/** A real server, a real agent, and workloads by the names that the launcher gives: no user but ours is needed. */
export class RealPlane implements AsyncDisposable {
  readonly server: SocketClient;
  readonly plane: Plane;
  readonly folder: string;
  readonly #stack: AsyncDisposableStack;

  private constructor(
    parts: { readonly server: SocketClient; readonly plane: Plane; readonly folder: string },
    stack: AsyncDisposableStack,
  ) {
    this.server = parts.server;
    this.plane = parts.plane;
    this.folder = parts.folder;
    this.#stack = stack;
  }

  /** Starts server and agent as `bonafide up` does. */
  static async open(): Promise<RealPlane> {
    await using stack = new AsyncDisposableStack();
    const folder = mkdtempSync(join(tmpdir(), "bonafide-plane-"));
    stack.defer(() => {
      rmSync(folder, { recursive: true });
    });
    const dir = openDataDir(join(folder, "data"), {});
    stack.defer(() => {
      rmSync(dir.socketDir, { recursive: true, force: true });
    });
    stack.defer(() => {
      dir.release();
    });
    const env = { PATH: process.env["PATH"] };
    const plane = stack.use(
      new Plane({ trustDomain: "example.org", dir, serverPort: 0, env, cli: CLI }),
    );
    const server = await plane.startServer();
    await plane.startAgent(server);
    return new RealPlane({ server, plane, folder }, stack.move());
  }

  /** Registers the processes that are started under a name, with SVIDs of so many seconds. */
  async register(path: string, name: string, ttlSeconds: number): Promise<void> {
    const trustDomain = "example.org";
    const { results } = await this.server.client(Entry).batchCreateEntry({
      entries: [
        {
          spiffeId: { trustDomain, path },
          parentId: { trustDomain, path: NODE_PATH },
          selectors: [{ type: "launcher", value: `name:${name}` }],
          x509SvidTtl: ttlSeconds,
        },
      ],
    });
    if (results[0]?.status?.code !== 0) throw new Error(results[0]?.status?.message);
  }

  /** Starts a program of the demo under its own name. */
  start(program: "greeter" | "visitor", args: readonly string[]): Workload {
    const entry = fileURLToPath(import.meta.resolve(`@bonafide/cli/${program}`));
    const child = spawn(process.execPath, this.#execAs(program, process.execPath, entry, ...args), {
      cwd: "/",
      env: {},
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#stack.defer(() => end(child));
    const events: DemoEvent[] = [];
    const waiting = new Set<() => void>();
    createInterface({ input: child.stdout }).on("line", (line) => {
      const event = parseDemoEvent(line);
      if (event !== undefined) events.push(event);
      for (const look of waiting) look();
    });
    return {
      events,
      until: (holds) =>
        new Promise((resolve) => {
          const look = (): void => {
            if (!holds(events)) return;
            waiting.delete(look);
            resolve();
          };
          waiting.add(look);
          look();
        }),
    };
  }

  /** Fetches the SVID of a name with its key, by the command line. @returns the folder with the files */
  async fetchAs(name: string): Promise<string> {
    const folder = join(this.folder, `svid-${name}`);
    mkdirSync(folder, { mode: 0o700 });
    const socket = `--socket=${this.plane.workloadSocket}`;
    const fetch = ["api", "fetch", "x509", "--timeout=60s", socket, `--write=${folder}`];
    const words = this.#execAs(name, process.execPath, ...CLI, ...fetch);
    await run(process.execPath, words, { cwd: "/", env: {} });
    return folder;
  }

  /** Words for Node that start a program under a name. */
  #execAs(name: string, ...program: readonly string[]): string[] {
    const { agentAdminSocket, workloadSocket } = this.plane;
    const sockets = [`--socket=${agentAdminSocket}`, `--workload-socket=${workloadSocket}`];
    return [...CLI, "exec", `--as=${name}`, ...sockets, "--", ...program];
  }

  /** Runs a command of ours. @returns its exit code and both outputs; never rejects */
  async command(
    ...words: readonly string[]
  ): Promise<{ readonly code: number; readonly output: string }> {
    return new Promise((resolve) => {
      execFile(process.execPath, [...CLI, ...words], { cwd: "/" }, (error, out, err) => {
        const code = error === null ? 0 : Number(error.code ?? 1);
        resolve({ code, output: `${out}${err}` });
      });
    });
  }

  /** Starts a command of ours that runs until it is ended. */
  startCommand(...words: readonly string[]): ChildProcess {
    const child = spawn(process.execPath, [...CLI, ...words], { cwd: "/", stdio: "ignore" });
    this.#stack.defer(() => end(child));
    return child;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = new Promise((resolve) => child.once("close", resolve));
  // Not SIGKILL: `exec` passes on what it gets, and cannot pass on that.
  child.kill("SIGTERM");
  await closed;
}
