import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { Socket } from "node:net";
import type { SecureContextOptions } from "node:tls";
import type { Log } from "@bonafide/lifetime";
import { addressKey } from "../core/address-key.ts";
import { LIMITS } from "../limits.ts";
import { OpenCount } from "../port/open-count.ts";
import { ENDPOINT_CIPHERS } from "./fetch-document.ts";
import type { OwnDocument } from "./own-document.ts";

/** What {@link BundleEndpoint} works with. */
export interface BundleEndpointDeps {
  readonly document: Pick<OwnDocument, "now">;
  readonly log: Log;
}

/**
 * Where other trust domains fetch our bundle: GET of `/` over TLS, for anybody. Every answer ends its connection, since
 * who asks comes once in some minutes.
 *
 * @spec Federation §4, §5
 */
export class BundleEndpoint {
  readonly #server: Server;
  readonly #deps: BundleEndpointDeps;
  readonly #ofAddress = new OpenCount({
    max: LIMITS.endpointConnectionsPerAddress,
    totalMax: LIMITS.endpointConnections,
  });
  readonly #open = new Set<Socket>();

  /** @param identity  What to present: options of TLS with a certificate and its key. */
  constructor(identity: SecureContextOptions, deps: BundleEndpointDeps) {
    this.#deps = deps;
    this.#server = createServer(
      {
        ...contextOf(identity),
        // Who asks does not say who they are (FED-19).
        requestCert: false,
        ALPNProtocols: ["http/1.1"],
        handshakeTimeout: LIMITS.handshakeMs,
        maxHeaderSize: LIMITS.endpointHeaderBytes,
        headersTimeout: LIMITS.endpointRequestMs,
        requestTimeout: LIMITS.endpointRequestMs,
        connectionsCheckingInterval: LIMITS.endpointRequestMs,
      },
      (request, response) => {
        this.#answer(request, response);
      },
    );
    this.#server.setTimeout(LIMITS.endpointRequestMs, (socket) => socket.destroy());
    this.#server.on("connection", (socket) => {
      this.#admit(socket);
    });
    // A handshake that fails is not news: anybody may come.
    this.#server.on("tlsClientError", (_error, socket) => socket.destroy());
  }

  /** Starts to answer. @returns The port. */
  async listen(options: { readonly host: string; readonly port: number }): Promise<number> {
    this.#server.listen(options);
    await once(this.#server, "listening");
    this.#server.on("error", (error) => {
      this.#deps.log({ level: "error", event: "bundle_endpoint.listener_failed", error });
    });
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  /** Presents another certificate from the next handshake on. */
  present(identity: SecureContextOptions): void {
    this.#server.setSecureContext(contextOf(identity));
  }

  /** Stops, and ends what is open. Idempotent. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
    await closed;
  }

  #admit(socket: Socket): void {
    const { remoteAddress } = socket;
    const giveBack =
      remoteAddress === undefined
        ? undefined
        : this.#ofAddress.take(addressKey(remoteAddress), () => socket.destroy());
    if (giveBack === undefined) {
      socket.destroy();
      return;
    }
    this.#open.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => {
      this.#open.delete(socket);
      giveBack();
    });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    response.shouldKeepAlive = false;
    const [path] = (request.url ?? "").split("?", 1);
    if (path !== "/") {
      response.writeHead(404).end();
      return;
    }
    if (request.method !== "GET") {
      response.writeHead(405, { allow: "GET" }).end();
      return;
    }
    const body = this.#deps.document.now;
    const headers = { "content-type": "application/json", "content-length": body.length };
    response.writeHead(200, headers).end(body);
  }
}

function contextOf(identity: SecureContextOptions): SecureContextOptions {
  return { ...identity, minVersion: "TLSv1.2", ciphers: ENDPOINT_CIPHERS, honorCipherOrder: true };
}
