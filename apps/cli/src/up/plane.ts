import { existsSync, lstatSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import type { SocketClient } from "../clients/socket-client.ts";
import { type Child, startChild } from "./child.ts";
import type { DataDir } from "./data-dir.ts";
import { freePort } from "./free-port.ts";
import { makeOwnedFolder } from "./owned-folder.ts";

/** Options of {@link Plane}. */
export interface PlaneOptions {
  readonly trustDomain: string;
  readonly dir: DataDir;
  /** 0: any free port. */
  readonly serverPort: number;
  /** How this program is started again. */
  readonly cli: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Path of the ID that this node goes by beside its own, whatever token it joined with. */
export const NODE_PATH = "/node/local";

/** A server and an agent of one folder, each a process of its own, started by the commands that anybody would use. */
export class Plane implements AsyncDisposable {
  readonly workloadSocket: string;
  readonly agentAdminSocket: string;
  readonly #serverAdminSocket: string;
  readonly #options: PlaneOptions;
  readonly #processes = new AsyncDisposableStack();
  readonly #ends: Promise<string>[] = [];
  #port = 0;
  #agent: Child | undefined;

  constructor(options: PlaneOptions) {
    this.#options = options;
    const { socketDir } = options.dir;
    for (const name of ["server", "agent"]) makeOwnedFolder(join(socketDir, name), 0o700);
    this.#serverAdminSocket = join(socketDir, "server", "admin.sock");
    this.agentAdminSocket = join(socketDir, "agent", "admin.sock");
    this.workloadSocket = join(socketDir, "agent.sock");
  }

  /** Whether the node has joined in an earlier run. */
  get hasJoined(): boolean {
    return existsSync(join(this.#options.dir.path, "agent", "identity.json"));
  }

  /** Port of the server. */
  get port(): number {
    return this.#port;
  }

  /** Resolves with its name when one of the processes has ended. */
  get ended(): Promise<string> {
    return Promise.race(this.#ends);
  }

  /** Starts the server, and at once the agent if it has joined before: it waits for its server by itself. */
  async startServer(): Promise<SocketClient> {
    const { trustDomain, dir, serverPort } = this.#options;
    this.#port = serverPort === 0 ? await freePort() : serverPort;
    const server = this.#start("server", {
      "trust-domain": trustDomain,
      "data-dir": join(dir.path, "server"),
      "admin-socket": this.#serverAdminSocket,
      listen: `127.0.0.1:${this.#port}`,
    });
    if (this.hasJoined) this.#agent = this.#startAgent();
    await server.ready;
    this.#link("server.sock", this.#serverAdminSocket);
    return this.#client("server", this.#serverAdminSocket);
  }

  /** Lets the agent join, or come back. @returns its SPIFFE ID */
  async startAgent(server: SocketClient): Promise<string> {
    const { trustDomain, dir } = this.#options;
    if (this.#agent === undefined) {
      const bundleFile = join(dir.path, "bundle.pem");
      const { prepareJoin } = await import("./join-node.ts");
      this.#agent = this.#startAgent(
        await prepareJoin(server, { trustDomain, path: NODE_PATH, bundleFile }),
      );
    }
    const { id = "" } = await this.#agent.ready;
    this.#link("agent.sock", this.agentAdminSocket);
    this.#link("workload.sock", this.workloadSocket);
    return id;
  }

  /** Calls on the agent's admin socket. */
  agentClient(): Promise<SocketClient> {
    return this.#client("agent", this.agentAdminSocket);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#processes.disposeAsync();
  }

  #startAgent(joinToken?: string): Child {
    const { trustDomain, dir } = this.#options;
    return this.#start(
      "agent",
      {
        "trust-domain": trustDomain,
        "data-dir": join(dir.path, "agent"),
        server: `127.0.0.1:${this.#port}`,
        "trust-bundle": join(dir.path, "bundle.pem"),
        "admin-socket": this.agentAdminSocket,
        "workload-socket": this.workloadSocket,
      },
      joinToken,
    );
  }

  #start(
    name: "server" | "agent",
    flags: Readonly<Record<string, string>>,
    joinToken?: string,
  ): Child {
    const child = startChild({
      name,
      cli: this.#options.cli,
      words: [
        name,
        "run",
        "--parent-fd-3",
        ...Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`),
        ...(joinToken === undefined ? [] : ["--join-token-fd-4"]),
      ],
      logFile: join(this.#options.dir.path, `${name}.log`),
      env: { ...this.#options.env },
      ...(joinToken === undefined ? {} : { secret: joinToken }),
    });
    this.#ends.push(child.ended.then(() => name));
    this.#processes.defer(() => child.stop());
    return child;
  }

  /** Loads gRPC while the processes that it will talk to start. */
  async #client(who: "server" | "agent", path: string): Promise<SocketClient> {
    const { connectSocket } = await import("../clients/socket-client.ts");
    return this.#processes.use(connectSocket(who, { path, source: "bonafide up" }));
  }

  /** Makes a socket found from this folder, by a path short enough for the kernel wherever the folder is. */
  #link(name: string, target: string): void {
    const path = join(this.#options.dir.path, name);
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) rmSync(path);
    symlinkSync(target, path);
  }
}
