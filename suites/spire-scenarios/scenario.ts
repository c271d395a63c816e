import type { KeyObject } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { encodePrivateKey, formatPem } from "@bonafide/pki";
import { Agent } from "@bonafide/proto/spire/api/server/agent/v1/agent_pb";
import { Bundle } from "@bonafide/proto/spire/api/server/bundle/v1/bundle_pb";
import { Entry as EntryService } from "@bonafide/proto/spire/api/server/entry/v1/entry_pb";
import type { Entry } from "@bonafide/proto/spire/api/types/entry_pb";
import {
  type Channel,
  type Client,
  createClient,
  openChannel,
  openUnixChannel,
} from "@bonafide/rpc";
import type { DescService } from "@bufbuild/protobuf";
import { credentials } from "@grpc/grpc-js";
import { freePort } from "../faults/plane.ts";
import { ScenarioAgent } from "./agent.ts";
import { fillIn, type ForeignServer, foreignServer } from "./settings.ts";
import { Spawned, until } from "./spawned.ts";

const CLI = fileURLToPath(new URL("../../apps/cli/src/main.ts", import.meta.url));
const NODE = [process.execPath, "--disable-sigusr1", CLI];
const TD = "example.org";
const CALL_MS = 60_000;

/** What this process presents at the server's network port. */
export interface Presented {
  /** DER, leaf first. */
  readonly chain: readonly Uint8Array[];
  readonly privateKey: KeyObject;
}

/** What an entry may say beside its name and its parent. */
export interface EntryInit {
  /** Default: this process's user. */
  readonly selectors?: { readonly type: string; readonly value: string }[];
  readonly jwtSvidTtl?: number;
  readonly admin?: boolean;
  readonly downstream?: boolean;
  readonly federatesWith?: string[];
}

/** Options of {@link openScenario} for a server of ours; a foreign one is as it is. */
export interface ScenarioOptions {
  readonly trustDomain?: string;
  /** Further flags of `server run`. */
  readonly flags?: readonly string[];
}

/** A server that speaks SPIRE's wire, as a scenario sees it: an admin socket, a network port, and agents. */
export class Scenario implements AsyncDisposable {
  readonly trustDomain: string;
  /** `host:port`. */
  readonly address: string;
  readonly #folder: string;
  readonly #foreign: ForeignServer;
  readonly #stack: AsyncDisposableStack;
  readonly #channel: Channel;
  readonly #server: (() => Spawned) | undefined;
  #process: Spawned | undefined;
  readonly #remotes = new Map<Presented | undefined, Channel>();
  #agents = 0;

  constructor(
    foreign: ForeignServer,
    folder: string,
    options: { readonly stack: AsyncDisposableStack; readonly server?: () => Spawned },
  ) {
    this.trustDomain = foreign.trustDomain;
    this.address = foreign.address;
    this.#foreign = foreign;
    this.#folder = folder;
    this.#stack = options.stack;
    this.#server = options.server;
    // An authority is activated once everybody could hear of it, which may be longer than a call usually takes.
    this.#channel = openUnixChannel(foreign.adminSocket, {
      reconnectMsMax: 500,
      timeoutMs: CALL_MS,
    });
    this.#stack.defer(() => {
      this.#channel.close();
    });
  }

  /** Calls by the admin socket. */
  admin<S extends DescService>(service: S): Client<S> {
    return createClient(service, this.#channel);
  }

  /** Calls by the network port, over one connection for each that is presented. */
  remote<S extends DescService>(service: S, presented?: Presented): Client<S> {
    const known = this.#remotes.get(presented);
    const channel = known ?? this.#connect(presented);
    this.#remotes.set(presented, channel);
    return createClient(service, channel);
  }

  #connect(presented: Presented | undefined): Channel {
    const { key, chain } = pemOf(presented);
    const channel = openChannel(this.address.replace("127.0.0.1", "localhost"), {
      // Whom the server proves to be is not what a scenario shows: its certificate names no host.
      credentials: credentials.createSsl(null, key, chain, { rejectUnauthorized: false }),
      reconnectMsMax: 500,
    });
    this.#stack.defer(() => {
      channel.close();
    });
    return channel;
  }

  /** A SPIFFE ID of this trust domain as the wire has it. */
  id(path: string): { trustDomain: string; path: string } {
    return { trustDomain: this.trustDomain, path };
  }

  /** The same as text. */
  text(path: string): string {
    return `spiffe://${this.trustDomain}${path}`;
  }

  /** A join token, which may give the node another name. */
  async token(alias?: string): Promise<string> {
    const { value } = await this.admin(Agent).createJoinToken({
      ttl: 600,
      ...(alias === undefined ? {} : { agentId: this.id(alias) }),
    });
    return value;
  }

  /** Creates one entry for this process's user, unless `init` says otherwise. */
  async entry(path: string, parentPath: string, init: EntryInit = {}): Promise<Entry> {
    const { results } = await this.admin(EntryService).batchCreateEntry({
      entries: [
        {
          spiffeId: this.id(path),
          parentId: this.id(parentPath),
          selectors: [ownUser()],
          ...init,
        },
      ],
    });
    const [result] = results;
    if (result?.status?.code !== 0) throw new Error(result?.status?.message ?? "no result");
    if (result.entry === undefined) throw new Error("no entry came");
    return result.entry;
  }

  /** Starts an agent that joins by a token. It is stopped with the scenario. */
  async agent(token: string): Promise<ScenarioAgent> {
    const folder = join(this.#folder, `agent-${this.#agents++}`);
    mkdirSync(folder, { mode: 0o755 });
    const bundle = join(folder, "bundle.pem");
    const { x509Authorities } = await this.admin(Bundle).getBundle({});
    const pems = x509Authorities.map(({ asn1 }) => formatPem("CERTIFICATE", asn1));
    writeFileSync(bundle, pems.join(""));
    const [host = "", port = ""] = this.address.split(":");
    const socket = join(folder, "s", "w.sock");
    const command = fillIn(this.#foreign.agentCommand, {
      token,
      host,
      port,
      bundle,
      socket,
      address: this.address,
      trustDomain: this.trustDomain,
      data: join(folder, "data"),
    });
    return this.#stack.use(new ScenarioAgent(command, socket, join(folder, "log")));
  }

  /** Whether the server can be stopped and started: it cannot where somebody else started it. */
  get isOurs(): boolean {
    return this.#server !== undefined;
  }

  /** Starts the server, or starts it again, and waits until it answers. */
  async start(): Promise<void> {
    if (this.#server === undefined) return;
    this.#process = this.#server();
    const started = this.#process;
    await until(async () => {
      if (!started.isRunning) throw new Error(`the server ended:\n${started.told}`);
      try {
        await this.admin(Bundle).getBundle({});
        return true;
      } catch {
        return undefined;
      }
    });
  }

  /** Stops the server. */
  async stop(): Promise<void> {
    await this.#process?.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
    if (this.#process?.isRunning === true) await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function pemOf(presented: Presented | undefined): { key: Buffer | null; chain: Buffer | null } {
  if (presented === undefined) return { key: null, chain: null };
  const { chain, privateKey } = presented;
  return {
    key: Buffer.from(formatPem("PRIVATE KEY", encodePrivateKey(privateKey))),
    chain: Buffer.from(chain.map((der) => formatPem("CERTIFICATE", der)).join("")),
  };
}

/** The selector of this process that every agent on Linux observes. */
export function ownUser(): { type: string; value: string } {
  return { type: "unix", value: `uid:${process.getuid?.() ?? 0}` };
}

/** A server to run a scenario against, which answers. */
export async function openScenario(options: ScenarioOptions = {}): Promise<Scenario> {
  const folder = mkdtempSync("/tmp/bf-sc-");
  const stack = new AsyncDisposableStack();
  const foreign = foreignServer();
  if (foreign !== undefined) return new Scenario(foreign, folder, { stack });
  const port = await freePort();
  const { trustDomain = TD, flags = [] } = options;
  const adminSocket = join(folder, "server", "private", "admin.sock");
  const agentFlags = {
    "trust-domain": "{trustDomain}",
    "data-dir": "{data}",
    server: "{address}",
    "trust-bundle": "{bundle}",
    "join-token": "{token}",
    "workload-socket": "{socket}",
    "admin-socket": "{data}/a.sock",
  };
  const agentWords = Object.entries(agentFlags).map(([name, value]) => `--${name}=${value}`);
  const ours: ForeignServer = {
    trustDomain,
    adminSocket,
    address: `127.0.0.1:${port}`,
    agentCommand: [...NODE, "agent", "run", ...agentWords],
  };
  const serverFlags = {
    "trust-domain": trustDomain,
    "data-dir": join(folder, "server"),
    listen: ours.address,
  };
  const words = Object.entries(serverFlags).map(([name, value]) => `--${name}=${value}`);
  const command = [...NODE, "server", "run", ...words, ...flags];
  const server = (): Spawned => new Spawned(command, join(folder, "server.log"));
  const scenario = new Scenario(ours, folder, { stack, server });
  await scenario.start();
  return scenario;
}
