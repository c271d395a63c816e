import { once } from "node:events";
import { connect } from "node:tls";
import { parseCertificate } from "@bonafide/pki";
import {
  isSpiffeId,
  secureContextOptions,
  type TrustDomain,
  trustDomainOf,
} from "@bonafide/spiffe";
import { CONNECT_MS } from "../limits.ts";
import type { ServerAddress } from "../server/server-link.ts";

/** What a server says of itself, for a message; nothing of it is proven. */
export interface Presented {
  /** Key id (hex) of the authority that signed it; `unknown` when it cannot be told. */
  readonly authority: string;
  /** Of its SPIFFE ID; undefined without one. */
  readonly trustDomain: TrustDomain | undefined;
}

const NOTHING: Presented = { authority: "unknown", trustDomain: undefined };

/**
 * Asks who signed what a server presents, and for which trust domain, without believing any of it: for the message that
 * tells an operator what does not fit.
 */
export async function probeServerInsecure(
  address: ServerAddress,
  options: { readonly signal: AbortSignal },
): Promise<Presented> {
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
    const leaf = socket.getPeerX509Certificate();
    if (leaf === undefined) return NOTHING;
    let last = leaf;
    while (last.issuerCertificate !== undefined) last = last.issuerCertificate;
    const keyId = parseCertificate(new Uint8Array(last.raw)).authorityKeyId;
    return {
      authority: keyId === undefined ? NOTHING.authority : Buffer.from(keyId).toString("hex"),
      trustDomain: trustDomainIn(new Uint8Array(leaf.raw)),
    };
  } catch {
    options.signal.throwIfAborted();
    return NOTHING;
  } finally {
    socket.destroy();
  }
}

function trustDomainIn(leaf: Uint8Array): TrustDomain | undefined {
  const [uri = ""] = parseCertificate(leaf).uris;
  return isSpiffeId(uri) ? trustDomainOf(uri) : undefined;
}
