import { existsSync, lstatSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import process from "node:process";
import { BonafideError } from "@bonafide/errors";
import { formatPem } from "@bonafide/pki";
import { Diagnosis } from "@bonafide/proto/bonafide/agent/v1/diagnosis_pb";
import { Agent } from "@bonafide/proto/spire/api/server/agent/v1/agent_pb";
import { Bundle } from "@bonafide/proto/spire/api/server/bundle/v1/bundle_pb";
import type { Machine } from "../arguments/command.ts";
import { connectSocket, type SocketClient } from "../clients/socket-client.ts";
import type { DemoEvent } from "../demo/events.ts";
import { CLI_ERRORS } from "../errors.ts";
import { whenAborted } from "../process/when-aborted.ts";
import { type Child, startChild } from "./child.ts";
import { type DataDir, openDataDir } from "./data-dir.ts";
import { ensureEntry } from "./demo-entries.ts";
import { type DemoWorkload, startNamed, startUnnamed } from "./demo-workload.ts";
import { makeOwnedFolder } from "./owned-folder.ts";
import { Scenes } from "./scenes.ts";
import { chooseWorkloadUsers, worthText } from "./workload-users.ts";

/** Options of {@link runUp}. */
export interface UpOptions {
  readonly trustDomain: string;
  readonly dataDir: string;
  /** End as soon as both workloads are proven and the third process is refused. */
  readonly once: boolean;
  /** 0: any free port. */
  readonly serverPort: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** Shows a line of progress. */
  readonly say: (line: string) => void;
  readonly machine: Machine;
}

const DEMO_DEADLINE_MS = 30_000;
const SVID_TTL = "60s";
const NAMES = ["greeter", "visitor"] as const;

/**
 * Starts a server, an agent and the demo workloads, each a process of its own, and stops them all at the end.
 *
 * @throws DATA_DIR_UNSAFE, DATA_DIR_LOCKED, PROCESS_ENDED, DEMO_FAILED
 */
export async function runUp(options: UpOptions): Promise<void> {
  const dir = openDataDir(options.dataDir, options.env);
  await using stack = new AsyncDisposableStack();
  stack.defer(() => {
    dir.release();
  });
  options.say(`bonafide up: trust domain ${options.trustDomain}, data in ${dir.path}`);
  const up = new Up(options, dir, stack);
  await up.run();
}

class Up {
  readonly #options: UpOptions;
  readonly #dir: DataDir;
  readonly #stack: AsyncDisposableStack;

  constructor(options: UpOptions, dir: DataDir, stack: AsyncDisposableStack) {
    this.#options = options;
    this.#dir = dir;
    this.#stack = stack;
  }

  async run(): Promise<void> {
    const { say, signal, once } = this.#options;
    const server = await this.#startServer();
    const agent = await this.#startAgent(server);
    const ends = await this.#startDemo(server, agent);
    if (once || signal.aborted) {
      say(once ? "both proven, the third refused: done" : "stopping");
      return;
    }
    say("next: bonafide entry list; bonafide ledger log; bonafide whoami; Ctrl-C stops all");
    await Promise.race([whenAborted(signal), ...ends]);
    say(signal.aborted ? "stopping" : "a process ended by itself; stopping the others");
  }

  async #startServer(): Promise<SocketClient> {
    const { trustDomain, serverPort, say } = this.#options;
    const socket = join(this.#privateDir("server"), "admin.sock");
    const child = this.#child("server", [
      "server",
      "run",
      "--ready-fd-3",
      "--trust-domain",
      trustDomain,
      "--data-dir",
      join(this.#dir.path, "server"),
      "--admin-socket",
      socket,
      "--listen",
      `127.0.0.1:${serverPort}`,
    ]);
    const { port = "" } = await child.ready;
    this.#serverPort = port;
    this.#ends.push(child.ended);
    this.#link("server.sock", socket);
    say(`server   serves on 127.0.0.1:${port}, store and keys in ${this.#show("server")}`);
    const client = connectSocket("server", { path: socket, source: "bonafide up" });
    this.#stack.use(client);
    return client;
  }

  #serverPort = "";
  readonly #ends: Promise<void>[] = [];

  async #startAgent(server: SocketClient): Promise<AgentHandle> {
    const { trustDomain, say } = this.#options;
    const dataDir = join(this.#dir.path, "agent");
    const bundleFile = join(this.#dir.path, "bundle.pem");
    const bundle = await server.client(Bundle).getBundle({});
    const pem = bundle.x509Authorities.map(({ asn1 }) => formatPem("CERTIFICATE", asn1)).join("");
    writeFileSync(bundleFile, pem, { mode: 0o600 });
    const adminSocket = join(this.#privateDir("agent"), "admin.sock");
    const workloadSocket = join(this.#dir.socketDir, "agent.sock");
    const hasJoined = existsSync(join(dataDir, "identity.json"));
    const token = hasJoined
      ? undefined
      : await server.client(Agent).createJoinToken({
          ttl: 60,
          agentId: { trustDomain, path: NODE_PATH },
        });
    const child = this.#child(
      "agent",
      [
        "agent",
        "run",
        "--ready-fd-3",
        "--trust-domain",
        trustDomain,
        "--data-dir",
        dataDir,
        "--server",
        `127.0.0.1:${this.#serverPort}`,
        "--trust-bundle",
        bundleFile,
        "--admin-socket",
        adminSocket,
        "--workload-socket",
        workloadSocket,
        ...(token === undefined ? [] : ["--join-token-fd-4"]),
      ],
      token?.value,
    );
    const { id = "" } = await child.ready;
    this.#ends.push(child.ended);
    this.#link("agent.sock", adminSocket);
    this.#link("workload.sock", workloadSocket);
    say(`agent    ${token === undefined ? "is back as" : "joined as"} ${shorten(id)}`);
    say(`         export SPIFFE_ENDPOINT_SOCKET=unix://${workloadSocket}`);
    const client = connectSocket("agent", { path: adminSocket, source: "bonafide up" });
    this.#stack.use(client);
    return { client, adminSocket, workloadSocket };
  }

  /** Resolves once everything was shown. @returns the ends of all processes that should go on */
  async #startDemo(server: SocketClient, agent: AgentHandle): Promise<readonly Promise<void>[]> {
    const { trustDomain, say, machine, signal } = this.#options;
    const { cli, clock } = machine;
    const own = process.getuid?.() ?? 0;
    const files = [machine.greeter, machine.visitor, cli.at(-1) ?? ""];
    const users = chooseWorkloadUsers(this.#dir.path, NAMES, files);
    const uidOf = (name: string): number => users?.[name] ?? own;
    await Promise.all(
      NAMES.map((name) =>
        ensureEntry(server, {
          spiffeId: { trustDomain, path: `/${name}` },
          parentId: { trustDomain, path: NODE_PATH },
          selectors: [
            { type: "launcher", value: `name:${name}` },
            { type: "unix", value: `uid:${uidOf(name)}` },
          ],
          ttl: SVID_TTL,
        }),
      ),
    );
    say(
      `entries  ${NAMES.map((name) => `spiffe://${trustDomain}/${name}`).join(", ")}; SVIDs live 60 s`,
    );
    say(worthText(users, own));
    const scenes = new Scenes({ trustDomain, clock, say });
    const start = (
      name: "greeter" | "visitor",
      args: readonly string[],
      onEvent: (event: DemoEvent) => void,
    ): Promise<DemoWorkload> =>
      startNamed({
        name,
        args,
        onEvent,
        cli,
        program: machine[name],
        uid: users?.[name],
        adminSocket: agent.adminSocket,
        workloadSocket: agent.workloadSocket,
        logFile: join(this.#dir.path, `${name}.log`),
      });
    const greeter = await start("greeter", [], (event) => {
      scenes.greeter(event);
    });
    this.#keep(greeter);
    const serving = await this.#before(signal, scenes.serving, "the greeter did not serve");
    const target = [`spiffe://${trustDomain}/greeter`, String(serving.grpc), String(serving.https)];
    const visitor = await start("visitor", target, (event) => {
      scenes.visitor(event);
    });
    this.#keep(visitor);
    const stranger = startUnnamed({
      args: target,
      program: machine.visitor,
      uid: users?.["visitor"],
      workloadSocket: agent.workloadSocket,
      logFile: join(this.#dir.path, "stranger.log"),
      onEvent: (event) => {
        scenes.stranger(event);
      },
    });
    this.#stack.defer(() => stranger.stop());
    await this.#before(signal, scenes.answered, "the visitor was not greeted over gRPC and HTTPS");
    await this.#before(signal, scenes.refused, "the third process was not refused");
    const answer = await agent.client.client(Diagnosis).why({
      about: { case: "pid", value: stranger.pid },
      want: `spiffe://${trustDomain}/visitor`,
    });
    scenes.explain(stranger.pid, answer);
    await stranger.stop();
    return [...this.#ends, greeter.ended, visitor.ended];
  }

  #keep(workload: DemoWorkload): void {
    this.#stack.defer(() => workload.stop());
  }

  #child(name: string, words: readonly string[], secret?: string): Child {
    const child = startChild({
      name,
      words,
      cli: this.#options.machine.cli,
      logFile: join(this.#dir.path, `${name}.log`),
      env: { ...this.#options.env },
      ...(secret === undefined ? {} : { secret }),
    });
    this.#stack.defer(() => child.stop());
    return child;
  }

  #privateDir(name: string): string {
    const path = join(this.#dir.socketDir, name);
    makeOwnedFolder(path, 0o700);
    return path;
  }

  /** Makes a socket found from this folder, by a path short enough for the kernel wherever the folder is. */
  #link(name: string, target: string): void {
    const path = join(this.#dir.path, name);
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) rmSync(path);
    symlinkSync(target, path);
  }

  #show(name: string): string {
    return relative(process.cwd(), join(this.#dir.path, name));
  }

  async #before<T>(signal: AbortSignal, wanted: Promise<T>, failure: string): Promise<T> {
    const timeout = AbortSignal.any([signal, AbortSignal.timeout(DEMO_DEADLINE_MS)]);
    const outcome = await Promise.race([
      wanted.then((value) => ({ value })),
      whenAborted(timeout).then(() => undefined),
    ]);
    if (outcome !== undefined) return outcome.value;
    const why = signal.aborted ? "stopped before the demo was done" : failure;
    throw new BonafideError(CLI_ERRORS, "DEMO_FAILED", why, {
      details: { next: `read the logs in ${this.#dir.path}` },
    });
  }
}

interface AgentHandle {
  readonly client: SocketClient;
  readonly adminSocket: string;
  readonly workloadSocket: string;
}

const NODE_PATH = "/node/local";

/** A join token's agent ID is long and says nothing to a reader. */
function shorten(id: string): string {
  return id.replace(/(join_token\/.{8}).*/, "$1...");
}
