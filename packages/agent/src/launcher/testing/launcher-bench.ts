import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ManualClock } from "@bonafide/lifetime/testing";
import { Launcher, LauncherAdmin } from "@bonafide/proto/bonafide/agent/v1/launcher_pb";
import { addService, openServer, type RpcServer } from "@bonafide/rpc";
import {
  type Kernel,
  listenUnix,
  openKernel,
  parseProcessStat,
  type UnixConnection,
  type UnixListener,
} from "@bonafide/unix-peer";
import type { NamePermission } from "../core/slot-name.ts";
import { type ExecAsOptions, execAs, type Launched } from "../exec-as.ts";
import { launcherAdminHandlers, launcherHandlers } from "../launcher-services.ts";
import { type LaunchedAs, type LauncherPoint, LauncherSlots } from "../launcher-slots.ts";
import { slotsFile } from "../slots-file.ts";

const CHILD = fileURLToPath(new URL("become-child.ts", import.meta.url));

/** Options of {@link LauncherBench.open}. */
export interface LauncherBenchOptions {
  readonly kernel?: Kernel;
  readonly permissions?: readonly NamePermission[];
  readonly at?: (point: LauncherPoint) => void;
}

/** An agent's two sockets with nothing behind them but the launcher; everything real. */
export class LauncherBench implements AsyncDisposable {
  readonly folder: string = mkdtempSync("/tmp/bf-");
  readonly adminPath: string = join(this.folder, "admin/s");
  readonly workloadPath: string = join(this.folder, "work/s");
  readonly filePath: string = join(this.folder, "slots.json");
  readonly #options: LauncherBenchOptions;
  readonly #kernel: Kernel;
  readonly #servers: RpcServer<UnixConnection>[] = [];
  readonly #listeners: UnixListener[] = [];
  readonly #started: ChildProcess[] = [];
  readonly #launched: Launched[] = [];
  readonly #waiting: ((connection: UnixConnection) => void)[] = [];
  readonly #arrived: UnixConnection[] = [];
  #slots: LauncherSlots | undefined;

  private constructor(kernel: Kernel, options: LauncherBenchOptions) {
    this.#kernel = kernel;
    this.#options = options;
  }

  static async open(options: LauncherBenchOptions = {}): Promise<LauncherBench> {
    const bench = new LauncherBench(options.kernel ?? (await openKernel()), options);
    await bench.#start();
    return bench;
  }

  get slots(): LauncherSlots {
    if (this.#slots === undefined) throw new Error("not started");
    return this.#slots;
  }

  async #start(): Promise<void> {
    const { permissions, at } = this.#options;
    const slots = await LauncherSlots.open(
      // A clock that stands: a slot waits for its process, however long that takes to start.
      { clock: new ManualClock(), kernel: this.#kernel, file: slotsFile(this.filePath) },
      {
        ...(permissions === undefined ? {} : { permissions }),
        ...(at === undefined ? {} : { at }),
      },
    );
    this.#slots = slots;
    const admin = openServer<UnixConnection>();
    addService(
      admin,
      LauncherAdmin,
      launcherAdminHandlers(slots, ({ peer }) => peer.caller()),
    );
    const work = openServer<UnixConnection>();
    addService(
      work,
      Launcher,
      launcherHandlers(slots, ({ peer }) => peer.caller()),
    );
    this.#servers.push(admin, work);
    const listen = { kernel: this.#kernel, mode: 0o777, folderMode: 0o755 };
    this.#listeners.push(
      await listenUnix({
        ...listen,
        path: this.adminPath,
        onConnection: (connection) => {
          admin.inject(connection.socket, connection);
        },
      }),
      await listenUnix({
        ...listen,
        path: this.workloadPath,
        onConnection: (connection) => {
          this.#take(connection, work);
        },
      }),
    );
  }

  /** A connection that says `?` as its first byte is a test's workload, any other speaks HTTP/2. */
  #take(connection: UnixConnection, work: RpcServer<UnixConnection>): void {
    const { socket } = connection;
    socket.once("readable", () => {
      const first: unknown = socket.read();
      if (!Buffer.isBuffer(first)) return;
      if (first[0] !== 0x3f) {
        socket.unshift(first);
        work.inject(socket, connection);
        return;
      }
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#arrived.push(connection);
      else waiting(connection);
    });
  }

  /** The next process that connected as a workload. */
  async nextWorkload(): Promise<UnixConnection> {
    return (
      this.#arrived.shift() ??
      new Promise((resolve) => {
        this.#waiting.push(resolve);
      })
    );
  }

  /** What the slots say of a connected workload. */
  find(connection: UnixConnection): LaunchedAs | undefined {
    const peer = connection.caller();
    using directory = peer.openDirectory();
    const stat = parseProcessStat(directory.text("stat"));
    return this.slots.find({
      pid: peer.pid,
      pidfdInode: peer.pidfdInode,
      startTicks: stat?.startTicks,
      sessionId: stat?.sessionId,
    });
  }

  /** The script of a program that connects as a workload and stays. */
  get workloadScript(): string {
    const path = JSON.stringify(this.workloadPath);
    return `const s=require("net").connect(${path},()=>s.write("?"));s.on("error",()=>{});setInterval(()=>{},1e6)`;
  }

  /** Launches a command under a name. */
  async launch(
    name: string,
    command: readonly string[],
    options: Partial<ExecAsOptions> = {},
  ): Promise<Launched> {
    const launched = await execAs({
      name,
      adminSocketPath: this.adminPath,
      child: [process.execPath, CHILD, this.workloadPath, ...command],
      env: { PATH: "/usr/bin:/bin" },
      stdio: "pipe",
      ...options,
    });
    this.#launched.push(launched);
    return launched;
  }

  /** Starts a workload without a launch. */
  stranger(): ChildProcess {
    const child = spawn(process.execPath, ["-e", this.workloadScript], {
      stdio: "ignore",
      env: {},
    });
    this.#started.push(child);
    return child;
  }

  /** Ends the agent's part and starts it anew on the same folder. */
  async restart(): Promise<void> {
    await this.#stop();
    await this.#start();
  }

  async #stop(): Promise<void> {
    await this.#slots?.close();
    for (const listener of this.#listeners.splice(0)) await listener.close();
    for (const server of this.#servers.splice(0)) await server.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#started) child.kill("SIGKILL");
    for (const launched of this.#launched) {
      try {
        await launched[Symbol.asyncDispose]();
      } catch {
        // It never started.
      }
    }
    await this.#stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
