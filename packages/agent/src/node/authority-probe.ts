import { once } from "node:events";
import { connect } from "node:tls";
import { parseCertificate } from "@bonafide/pki";
import { secureContextOptions } from "@bonafide/spiffe";
import { CONNECT_MS } from "../limits.ts";
import type { ServerAddress } from "../server/server-link.ts";

/**
 * Asks which authority (key id, hex) signed what a server presents, without believing any of it: for the message that
 * tells an operator what does not fit. `unknown` when it cannot be told.
 */
export async function presentedAuthorityInsecure(
  address: ServerAddress,
  options: { readonly signal: AbortSignal },
): Promise<string> {
  const socket = connect({
    ...address,
    ...secureContextOptions(undefined),
    servername: "",
    ALPNProtocols: ["h2"],
    rejectUnauthorized: false,
  });
  socket.on("error", () => {});
  try {
    const signal = AbortSignal.any([options.signal, AbortSignal.timeout(CONNECT_MS)]);
    await once(socket, "secureConnect", { signal });
    let certificate = socket.getPeerX509Certificate();
    while (certificate?.issuerCertificate !== undefined)
      certificate = certificate.issuerCertificate;
    if (certificate === undefined) return "unknown";
    const keyId = parseCertificate(new Uint8Array(certificate.raw)).authorityKeyId;
    return keyId === undefined ? "unknown" : Buffer.from(keyId).toString("hex");
  } catch {
    options.signal.throwIfAborted();
    return "unknown";
  } finally {
    socket.destroy();
  }
}
