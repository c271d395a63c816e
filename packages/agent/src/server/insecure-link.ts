import { once } from "node:events";
import { connect, createSecureContext } from "node:tls";
import { secureContextOptions } from "@bonafide/spiffe";
import { CONNECT_MS } from "../limits.ts";
import { type ServerAddress, ServerLink } from "./server-link.ts";

/**
 * Opens a connection to a server that is **not verified**: whoever answers is believed to be it.
 *
 * For two calls only: the bundle of an insecure first start, and a bundle that carries its own proof under the recovery
 * key. No secret is ever sent over it.
 */
export function openLinkInsecure(address: ServerAddress): ServerLink {
  return new ServerLink(address, async (socket) => {
    const secured = connect({
      socket,
      secureContext: createSecureContext(secureContextOptions(undefined)),
      ALPNProtocols: ["h2"],
      rejectUnauthorized: false,
    });
    secured.on("error", () => {});
    try {
      await once(secured, "secureConnect", { signal: AbortSignal.timeout(CONNECT_MS) });
      return secured;
    } catch (error) {
      secured.destroy();
      throw error;
    }
  });
}
