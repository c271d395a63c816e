import { randomUUID } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from "node:tls";
import {
  type Clock,
  type LogEvent,
  type LogLevelSwitch,
  systemClock,
  systemRandom,
} from "@bonafide/lifetime";
import {
  createCsr,
  encodePrivateKey,
  formatPem,
  generateKey,
  type GeneratedKey,
  keySigner,
  parseCertificate,
} from "@bonafide/pki";
import type { NodeAttestor, Store, UpstreamAuthority } from "@bonafide/plugin-api";
import {
  type MemoryStore,
  openMemoryKeyManager,
  openMemoryStore,
} from "@bonafide/plugin-api/testing";
import {
  Agent,
  type AttestAgentRequestSchema,
} from "@bonafide/proto/spire/api/server/agent/v1/agent_pb";
import {
  type Channel,
  type Client,
  createClient,
  openChannel,
  openUnixChannel,
  RpcError,
} from "@bonafide/rpc";
import { openKernel } from "@bonafide/unix-peer";
import type { DescService, MessageInitShape } from "@bufbuild/protobuf";
import { CallCredentials, ChannelCredentials } from "@grpc/grpc-js";
import { openServer, type RunningServer } from "../open-server.ts";
import type { ServerOptions } from "../server-options.ts";

/** A key with the certificate that it was given. */
export interface TestSvid {
  readonly id: string;
  readonly chain: readonly Uint8Array[];
  readonly privateKey: KeyObject;
}

/** A real server on real sockets, and clients for it. */
export interface TestServer extends AsyncDisposable {
  readonly server: RunningServer;
  readonly store: Store;
  readonly events: LogEvent[];
  /** A client on the private socket. */
  local<S extends DescService>(service: S): Client<S>;
  /** A client over TLS; without an SVID, without a client certificate. A new connection each. */
  remote<S extends DescService>(service: S, svid?: TestSvid): Client<S>;
  /** Closes a channel with the server. */
  keep(channel: Channel): Channel;
  /** A token for a new node. */
  token(alias?: string): Promise<string>;
  /** Joins with a token, a new one unless given. */
  join(token?: string, key?: GeneratedKey): Promise<TestSvid>;
  /** Ends it and opens another server with the same keys and memory, on the same store or on what is given. */
  restart(
    options?: Partial<ServerOptions>,
    between?: () => Promise<Store | undefined>,
  ): Promise<void>;
}

/** Options of {@link openTestServer}. */
export interface TestServerOptions {
  readonly store?: Store;
  readonly clock?: Clock;
  readonly options?: Partial<ServerOptions>;
  readonly logLevels?: LogLevelSwitch;
  readonly nodeAttestors?: readonly NodeAttestor[];
  /** Serves nothing of `bonafide.*`: what a server of SPIRE serves, and no more. */
  readonly wireOnly?: boolean;
  /** Signs the server's authorities. Whoever gave it closes it. */
  readonly upstream?: UpstreamAuthority;
  /** Clients do not verify the server: for tests whose clock is not the machine's. */
  readonly isBlind?: boolean;
  /** Which events are kept; default: all. */
  readonly keeps?: (event: LogEvent) => boolean;
}

/** The trust domain of the tests. */
export const TD = "example.org";

/** Deadline of a call, ms: one that no busy machine comes to. What hangs is found by the bound of its file. */
const CALL_MS = 60_000;

/** Opens a server for a test. */
export async function openTestServer(test: TestServerOptions = {}): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), "bf-srv-"));
  let store = test.store ?? openMemoryStore();
  const clock = test.clock ?? systemClock;
  const keys = openMemoryKeyManager();
  const kernel = await openKernel();
  const events: LogEvent[] = [];
  const serverId = randomUUID();
  const channels: Channel[] = [];
  const open = (more: Partial<ServerOptions> = {}): Promise<RunningServer> =>
    openServer(
      {
        trustDomain: TD,
        serverId,
        memoryDir: join(folder, "memory"),
        adminSocketPath: join(folder, "private", "admin.sock"),
        host: "127.0.0.1",
        port: 0,
        drainMs: 200,
        ...test.options,
        ...more,
      },
      {
        store,
        keys,
        upstream: test.upstream,
        kernel,
        clock,
        random: systemRandom,
        log: (event) => {
          if (test.keeps?.(event) !== false) events.push(event);
        },
        ...(test.logLevels === undefined ? {} : { logLevels: test.logLevels }),
        ...(test.nodeAttestors === undefined ? {} : { nodeAttestors: test.nodeAttestors }),
        ...(test.wireOnly === true ? { offers: isOnTheWire } : {}),
      },
    );
  let server = await open();

  const keep = (channel: Channel): Channel => {
    channels.push(channel);
    return channel;
  };
  const dispose = async (): Promise<void> => {
    for (const channel of channels) channel.close();
    await server.close();
    await keys.close();
    await store.close();
    await rm(folder, { recursive: true, force: true });
  };
  const self: TestServer = {
    get server() {
      return server;
    },
    get store() {
      return store;
    },
    events,
    local: (service) =>
      createClient(service, keep(openUnixChannel(server.adminSocketPath, { timeoutMs: CALL_MS }))),
    remote: (service, svid) =>
      createClient(service, keep(openTlsChannel(server, { svid, isBlind: test.isBlind }))),
    keep,
    async token(alias) {
      const { value } = await self.local(Agent).createJoinToken({
        ttl: 600,
        ...(alias === undefined ? {} : { agentId: { trustDomain: TD, path: alias } }),
      });
      return value;
    },
    async join(token, key = generateKey("ec-p256")) {
      const given = token ?? (await self.token());
      return attest(self.remote(Agent), given, key);
    },
    async restart(options, between) {
      await server.close();
      store = (await between?.()) ?? store;
      server = await open(options);
    },
    [Symbol.asyncDispose]: dispose,
  };
  return self;
}

/** Options of {@link openTlsChannel}. */
export interface TlsChannelOptions {
  /** Presented to the server; none: no client certificate. */
  readonly svid?: TestSvid | undefined;
  /** Does not verify the server: for tests whose clock is not the machine's. */
  readonly isBlind?: boolean | undefined;
  /** Given each connection's socket. */
  readonly onSocket?: ((socket: TLSSocket) => void) | undefined;
}

/** A channel over TLS that trusts the server's bundle as of now. */
export function openTlsChannel(server: RunningServer, options: TlsChannelOptions = {}): Channel {
  const { svid } = options;
  const connection: ConnectionOptions = {
    ca: server.bundle().authorities.map(({ der }) => formatPem("CERTIFICATE", der)),
    ALPNProtocols: ["h2"],
    rejectUnauthorized: options.isBlind !== true,
    checkServerIdentity: () => undefined,
    ...(svid === undefined
      ? {}
      : {
          key: formatPem("PRIVATE KEY", encodePrivateKey(svid.privateKey)),
          cert: svid.chain.map((der) => formatPem("CERTIFICATE", der)).join(""),
        }),
  };
  return openChannel(`127.0.0.1:${server.port}`, {
    credentials: new TestCredentials(connection, options.onSocket ?? (() => {})),
    timeoutMs: CALL_MS,
  });
}

/** Whether a service is one that others fixed. */
function isOnTheWire({ typeName }: DescService): boolean {
  return !typeName.startsWith("bonafide.");
}

/** Plain TLS by Node, whose sockets a test can look at. */
class TestCredentials extends ChannelCredentials {
  readonly #options: ConnectionOptions;
  readonly #onSocket: (socket: TLSSocket) => void;

  constructor(options: ConnectionOptions, onSocket: (socket: TLSSocket) => void) {
    super();
    this.#options = options;
    this.#onSocket = onSocket;
  }

  override _isSecure(): boolean {
    return true;
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(): ReturnType<ChannelCredentials["_createSecureConnector"]> {
    const connect = async (socket: Socket): Promise<{ socket: TLSSocket; secure: boolean }> => {
      const secured = connectTls({ socket, ...this.#options });
      await once(secured, "secureConnect");
      this.#onSocket(secured);
      return { socket: secured, secure: true };
    };
    return {
      connect,
      waitForReady: () => Promise.resolve(),
      getCallCredentials: () => CallCredentials.createEmpty(),
      destroy: () => {},
    };
  }
}

/** Joins by token over a client, as an agent does. */
export async function attest(
  client: Client<typeof Agent>,
  token: string,
  key: GeneratedKey,
): Promise<TestSvid> {
  for await (const { step } of client.attestAgent(joinRequest(token, key))) {
    if (step.case !== "result") continue;
    const { svid } = step.value;
    const chain = svid?.certChain ?? [];
    const [leaf] = chain;
    if (leaf === undefined) throw new Error("no certificate came");
    return { id: parseCertificate(leaf).uris[0] ?? "", chain, privateKey: key.privateKey };
  }
  throw new Error("no result came");
}

/** The one request of a join. */
export async function* joinRequest(
  token: string,
  key: GeneratedKey,
): AsyncGenerator<MessageInitShape<typeof AttestAgentRequestSchema>, void, void> {
  yield {
    step: {
      case: "params",
      value: {
        data: { type: "join_token", payload: Buffer.from(token) },
        params: { csr: csrOf(key) },
      },
    },
  };
}

/** A request for a certificate by a key. */
export function csrOf(key: GeneratedKey): Uint8Array {
  return createCsr(keySigner(key.privateKey));
}

/** The SPIFFE ID of an SVID as the wire has it. */
export function wireIdOf(svid: TestSvid): { trustDomain: string; path: string } {
  return { trustDomain: TD, path: svid.id.slice(`spiffe://${TD}`.length) };
}

/** The status and code that a call failed with: what a client sees. */
export async function failureOf(
  call: Promise<unknown>,
): Promise<{ status: string; code: string | undefined; error: RpcError }> {
  try {
    await call;
  } catch (error) {
    if (error instanceof RpcError) return { status: error.status, code: error.reason, error };
    throw error;
  }
  throw new Error("the call succeeded");
}

/** Reads a stream to its end. */
export async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of stream) all.push(item);
  return all;
}

export type { MemoryStore };
