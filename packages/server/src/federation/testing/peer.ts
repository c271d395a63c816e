import { once } from "node:events";
import type { RequestListener } from "node:http";
import { createServer } from "node:https";
import type { Socket } from "node:net";
import type { TlsOptions } from "node:tls";
import type { X509Svid } from "@bonafide/spiffe";
import { secureContextOptions } from "@bonafide/spiffe";

/** Another trust domain's bundle endpoint, as good or bad as a test wants it. */
export interface Peer extends AsyncDisposable {
  readonly port: number;
  /** URL of its root by the name `localhost`. */
  readonly url: URL;
  /** Shows another certificate from now on. */
  present(identity: TlsOptions): void;
}

/** What a peer with an X509-SVID shows. */
export function svidIdentity(svid: X509Svid): TlsOptions {
  return secureContextOptions(svid);
}

/** Opens a peer on the loopback. */
export async function openPeer(identity: TlsOptions, answer: RequestListener): Promise<Peer> {
  const server = createServer(identity, answer);
  const open = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    open.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => open.delete(socket));
  });
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  server.listen({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    port,
    url: new URL(`https://localhost:${port}/`),
    present: (next) => {
      server.setSecureContext(next);
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}
