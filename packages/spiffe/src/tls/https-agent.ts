import { Agent, type AgentOptions } from "node:https";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { X509Svid } from "../svid/x509-svid.ts";
import {
  createTlsConnector,
  type TlsConnector,
  type TlsConnectorOptions,
  type TlsTarget,
  type VerifiedConnection,
} from "./connector.ts";

/** Options of {@link createHttpsAgent}. */
export interface HttpsAgentOptions extends TlsConnectorOptions {
  /** Of Node's agent: keep-alive and limits; whatever concerns TLS is ours. */
  readonly agent?: Pick<
    AgentOptions,
    "keepAlive" | "keepAliveMsecs" | "maxSockets" | "maxTotalSockets" | "maxFreeSockets" | "timeout"
  >;
}

/** Opens a socket for undici's `connect` option. */
export type UndiciConnect = (
  options: { readonly hostname: string; readonly port?: string },
  callback: (error: Error | null, socket: TLSSocket | null) => void,
) => void;

const HTTPS_PORT = 443;

/**
 * Makes an `https.Agent` that verifies servers by the rules of X509-SVID. Not a byte of a request is sent before the
 * verdict; the error of a refused one carries the code.
 *
 * When our SVID rotates, idle connections of the old one are closed, and busy ones finish their request and are not used
 * again. `agent.destroy()` ends it.
 */
export function createHttpsAgent(options: HttpsAgentOptions): Agent {
  return new SpiffeAgent(options);
}

/**
 * Makes a function for undici: `new Agent({ connect: undiciConnect({ source, authorize }) })`. Make a new undici agent to
 * move to a new SVID; `close()` of the old one lets its requests finish.
 */
export function undiciConnect(options: TlsConnectorOptions): UndiciConnect {
  const connector = createTlsConnector(options);
  return (target, callback) => {
    const port = Number(target.port ?? "") || HTTPS_PORT;
    void callBack(connector, { host: target.hostname, port }, (error, connection) => {
      callback(error, connection?.socket ?? null);
    });
  };
}

class SpiffeAgent extends Agent {
  readonly #connector: TlsConnector;
  readonly #source: TlsConnectorOptions["source"];
  readonly #presented = new WeakMap<object, X509Svid | undefined>();
  readonly #ending = new AbortController();

  constructor(options: HttpsAgentOptions) {
    super({ keepAlive: true, ...options.agent, maxCachedSessions: 0 });
    this.#connector = createTlsConnector(options);
    this.#source = options.source;
    void this.#follow();
  }

  override createConnection(
    options: TlsAgentTarget,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    const { svid } = this.#source.context();
    void callBack(this.#connector, destination(options), (error, connection) => {
      if (connection === undefined) {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Node's type wants a stream beside an error
        callback?.(error, undefined as never);
        return;
      }
      this.#presented.set(connection.socket, svid);
      callback?.(null, connection.socket);
    });
    return undefined;
  }

  override keepSocketAlive(socket: Duplex): boolean {
    // Node's method answers whether to keep the socket, whatever its type says.
    return this.#isFresh(socket) && Boolean(super.keepSocketAlive(socket));
  }

  override destroy(): void {
    this.#ending.abort();
    super.destroy();
    void this.#connector.close();
  }

  #isFresh(socket: object): boolean {
    return this.#presented.get(socket) === this.#source.context().svid;
  }

  /** Never rejects: the source ends its updates quietly. */
  async #follow(): Promise<void> {
    for await (const context of this.#source.updates({ signal: this.#ending.signal })) {
      for (const sockets of Object.values(this.freeSockets)) {
        for (const socket of sockets ?? []) {
          if (this.#presented.get(socket) !== context.svid) socket.destroy();
        }
      }
    }
  }
}

/** Never rejects: the outcome is the callback's. */
async function callBack(
  connector: TlsConnector,
  target: TlsTarget,
  done: (error: Error | null, connection?: VerifiedConnection) => void,
): Promise<void> {
  let connection: VerifiedConnection;
  try {
    connection = await connector.connect(target, { alpn: ["http/1.1"] });
  } catch (error) {
    done(asError(error));
    return;
  }
  done(null, connection);
}

interface TlsAgentTarget {
  readonly host?: string | null | undefined;
  readonly port?: number | string | null | undefined;
  readonly path?: string | null | undefined;
  readonly socketPath?: string | null | undefined;
}

function destination({ host, port, socketPath }: TlsAgentTarget): TlsTarget {
  if (typeof socketPath === "string") return { path: socketPath };
  return { host: host ?? "localhost", port: Number(port ?? HTTPS_PORT) };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error("not connected", { cause: error });
}
