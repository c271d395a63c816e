import { execFile } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { formatPem } from "@bonafide/pki";
import { Diagnosis, type GetStatusResponse } from "@bonafide/proto/bonafide/agent/v1/diagnosis_pb";
import { Agent } from "@bonafide/proto/spire/api/server/agent/v1/agent_pb";
import { Bundle } from "@bonafide/proto/spire/api/server/bundle/v1/bundle_pb";
import { Entry } from "@bonafide/proto/spire/api/server/entry/v1/entry_pb";
import { type Channel, type Client, createClient, openUnixChannel } from "@bonafide/rpc";
import type { DescService } from "@bufbuild/protobuf";
import { type Program, startProgram, tailOf } from "./program.ts";

/** Trust domain of all planes. */
export const TD = "example.org";

/** The ID that the node goes by beside its own. */
export const NODE_PATH = "/node/local";

/** The command line as it is published. */
export const CLI: string = fileURLToPath(new URL("../../apps/cli/src/main.ts", import.meta.url));

/** Where Node keeps compiled code, so that processes start faster; who may not write there goes without. */
export const CODE_CACHE: string = fileURLToPath(
  new URL("../../node_modules/.cache/bonafide", import.meta.url),
);

/** Deadline of a call, ms: one that no busy machine comes to. What hangs is found by the test's own. */
const CALL_MS = 60_000;

/** Options of one start. */
export interface StartOptions {
  /** Entry file, default {@link CLI}. */
  readonly entry?: string;
  /** Further flags. */
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A server and an agent, each the process that anybody would start, in one folder under /tmp. */
export class Plane implements AsyncDisposable {
  readonly dir: string = mkdtempSync("/tmp/bf-faults-");
  readonly workloadSocket: string = join(this.dir, "w", "agent.sock");
  readonly port: number;
  readonly trustDomain: string;
  readonly #uid: number | undefined;
  readonly #programs: Program[] = [];
  readonly #channels = new Map<string, Channel>();
  #server: Program | undefined;
  #agent: Program | undefined;

  private constructor(port: number, uid: number | undefined, trustDomain: string) {
    this.port = port;
    this.trustDomain = trustDomain;
    this.#uid = uid;
    chmodSync(this.dir, 0o755);
    mkdirSync(join(this.dir, "data"), { mode: 0o700 });
    if (uid !== undefined) {
      chownSync(this.dir, uid, uid);
      chownSync(join(this.dir, "data"), uid, uid);
    }
  }

  /**
   * @param options.uid          User of both processes, default ours.
   * @param options.trustDomain  Default {@link TD}.
   */
  static async open(
    options: { readonly uid?: number; readonly trustDomain?: string } = {},
  ): Promise<Plane> {
    return new Plane(await freePort(), options.uid, options.trustDomain ?? TD);
  }

  get server(): Program {
    if (this.#server === undefined) throw new Error("no server was started");
    return this.#server;
  }

  get agent(): Program {
    if (this.#agent === undefined) throw new Error("no agent was started");
    return this.#agent;
  }

  /** A path among the data of both. */
  path(...names: readonly string[]): string {
    return join(this.dir, "data", ...names);
  }

  /** The end of a log. */
  logOf(name: "server" | "agent"): string {
    return tailOf(join(this.dir, `${name}.log`));
  }

  /** The events of a log, as far as they came. */
  eventsOf(name: "server" | "agent"): readonly string[] {
    return [
      ...readFileSync(join(this.dir, `${name}.log`), "utf8").matchAll(/"msg":"([^"]+)"/g),
    ].map(([, event = ""]) => event);
  }

  /** Starts the server and does not wait. */
  startServer(options: StartOptions = {}): Program {
    this.#server = this.#start(
      "server",
      [
        `--data-dir=${this.path("server")}`,
        `--admin-socket=${this.path("sa", "s")}`,
        `--listen=127.0.0.1:${this.port}`,
        ...(options.flags ?? []),
      ],
      options,
    );
    return this.#server;
  }

  /** Starts the agent and does not wait. @param options.token  For its first start. */
  startAgent(
    options: StartOptions & { readonly token?: string; readonly dataDir?: string } = {},
  ): Program {
    const { token, dataDir = "agent" } = options;
    this.#agent = this.#start(
      "agent",
      [
        `--data-dir=${this.path(dataDir)}`,
        `--admin-socket=${this.path("aa", "s")}`,
        `--workload-socket=${this.workloadSocket}`,
        `--server=127.0.0.1:${this.port}`,
        `--trust-bundle=${this.path("bundle.pem")}`,
        ...(token === undefined ? [] : ["--join-token-fd-4"]),
        ...(options.flags ?? []),
      ],
      { ...options, secret: token },
    );
    return this.#agent;
  }

  /** Starts the server and the agent, which joins by a fresh token, and waits for both. */
  async start(
    options: { readonly server?: StartOptions; readonly agent?: StartOptions } = {},
  ): Promise<void> {
    await this.served(this.startServer(options.server), "server");
    const token = await this.token();
    await this.served(this.startAgent({ ...options.agent, token }), "agent");
  }

  /** Waits until a process serves. @throws when it ended instead, with the end of its log */
  async served(
    program: Program,
    name: "server" | "agent",
  ): Promise<Readonly<Record<string, string>>> {
    const facts = await program.ready;
    if (facts === undefined) throw new Error(`the ${name} ended:\n${this.logOf(name)}`);
    return facts;
  }

  /** A join token that gives the node {@link NODE_PATH}; writes the bundle that the agent starts from, too. */
  async token(): Promise<string> {
    const bundle = await this.local(Bundle).getBundle({});
    const pem = bundle.x509Authorities.map(({ asn1 }) => formatPem("CERTIFICATE", asn1));
    writeFileSync(this.path("bundle.pem"), pem.join(""), { mode: 0o644 });
    const token = await this.local(Agent).createJoinToken({
      ttl: 600,
      agentId: { trustDomain: this.trustDomain, path: NODE_PATH },
    });
    return token.value;
  }

  /** Creates an entry of this node, or of another. @returns its id */
  async entry(
    path: string,
    selector: string,
    options: {
      readonly ttl?: number;
      readonly parentPath?: string;
      readonly timeoutMs?: number;
      readonly federatesWith?: readonly string[];
    } = {},
  ): Promise<string> {
    const { ttl = 10, parentPath = NODE_PATH, timeoutMs = 30_000, federatesWith = [] } = options;
    const { trustDomain } = this;
    const [type = "", ...rest] = selector.split(":");
    const { results } = await this.local(Entry).batchCreateEntry(
      {
        entries: [
          {
            spiffeId: { trustDomain, path },
            parentId: { trustDomain, path: parentPath },
            selectors: [{ type, value: rest.join(":") }],
            x509SvidTtl: ttl,
            federatesWith: [...federatesWith],
          },
        ],
      },
      { timeoutMs },
    );
    const [result] = results;
    if (result?.status?.code !== 0) throw new Error(result?.status?.message ?? "no result");
    return result.entry?.id ?? "";
  }

  /** Paths of all entries. */
  async entryPaths(): Promise<ReadonlySet<string>> {
    const paths = new Set<string>();
    let pageToken = "";
    do {
      const page = await this.local(Entry).listEntries({ pageSize: 500, pageToken });
      for (const { spiffeId } of page.entries) paths.add(spiffeId?.path ?? "");
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    return paths;
  }

  /** Calls on the server's admin socket, over a connection that comes back. */
  local<S extends DescService>(service: S): Client<S> {
    return this.#client(service, this.path("sa", "s"));
  }

  /** Calls on the agent's admin socket. */
  agentAdmin<S extends DescService>(service: S): Client<S> {
    return this.#client(service, this.path("aa", "s"));
  }

  /** The agent's own view of itself. */
  status(): Promise<GetStatusResponse> {
    return this.agentAdmin(Diagnosis).getStatus({});
  }

  /** Runs a command against the server's socket. @returns its output as JSON */
  async command(...words: readonly string[]): Promise<unknown> {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--disable-sigusr1", CLI, ...words, "--socket", this.path("sa", "s"), "--json"],
      { env: { PATH: process.env["PATH"] ?? "", NODE_COMPILE_CACHE: CODE_CACHE } },
    ).catch((error: unknown) => {
      // A verdict is an exit code, and its reasons are on standard output.
      if (error instanceof Error && "stdout" in error) return { stdout: String(error.stdout) };
      throw error;
    });
    return JSON.parse(stdout);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const channel of this.#channels.values()) channel.close();
    for (const program of this.#programs.toReversed()) {
      program.signal("SIGCONT");
      await program.kill();
    }
    rmSync(this.dir, { recursive: true, force: true });
  }

  #start(
    name: "server" | "agent",
    flags: readonly string[],
    options: StartOptions & { readonly secret?: string | undefined },
  ): Program {
    const program = startProgram({
      command: [
        options.entry ?? CLI,
        name,
        "run",
        "--parent-fd-3",
        `--trust-domain=${this.trustDomain}`,
        ...flags,
      ],
      logFile: join(this.dir, `${name}.log`),
      secret: options.secret,
      uid: this.#uid,
      env: { NODE_COMPILE_CACHE: CODE_CACHE, ...options.env },
    });
    this.#programs.push(program);
    return program;
  }

  #client<S extends DescService>(service: S, path: string): Client<S> {
    const channel = this.#channels.get(path) ?? openUnixChannel(path, { timeoutMs: CALL_MS });
    this.#channels.set(path, channel);
    return createClient(service, channel);
  }
}

/**
 * A port of 127.0.0.1 that nobody listens on, below those that the kernel hands out: so nobody gets it while the server
 * is down.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    const server = createServer();
    try {
      server.listen(port, "127.0.0.1");
      await once(server, "listening");
      return port;
    } catch {
      // Taken: try another.
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  }
}

/** Waits until something is true; the test's own deadline ends the wait. */
export async function until(
  what: string,
  isTrue: () => boolean | Promise<boolean>,
  options: { readonly withinMs?: number } = {},
): Promise<void> {
  const end = performance.now() + (options.withinMs ?? 60_000);
  while (!(await isTrue())) {
    if (performance.now() > end) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
