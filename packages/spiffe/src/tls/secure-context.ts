import { constants } from "node:crypto";
import { createSecureContext, type SecureContext, type SecureContextOptions } from "node:tls";
import { encodePrivateKey, formatPem } from "@bonafide/pki";
import type { X509ContextSource } from "../source/x509-context.ts";
import type { X509Svid } from "../svid/x509-svid.ts";

/**
 * All options of a TLS context of ours. `setSecureContext` forgets what is not passed again, so there is one place.
 *
 * `ca` is empty: verification is ours, Mozilla's roots have no business here, and OpenSSL would append its own root to
 * what we present. No tickets: a resumed session skips verification.
 */
export function secureContextOptions(svid: X509Svid | undefined): SecureContextOptions {
  const base: SecureContextOptions = {
    ca: [],
    minVersion: "TLSv1.2",
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
  if (svid === undefined) return base;
  return {
    ...base,
    cert: svid.chain.map(({ der }) => formatPem("CERTIFICATE", der)).join(""),
    key: formatPem("PRIVATE KEY", encodePrivateKey(svid.privateKey)),
  };
}

/** The TLS context of the moment, built again only when the SVID is another one. */
export class SecureContextCell {
  readonly #source: X509ContextSource;
  #built: { readonly svid: X509Svid | undefined; readonly context: SecureContext } | undefined;

  constructor(source: X509ContextSource) {
    this.#source = source;
  }

  /** @throws SOURCE_CLOSED */
  get now(): SecureContext {
    const { svid } = this.#source.context();
    if (this.#built === undefined || this.#built.svid !== svid) {
      this.#built = { svid, context: createSecureContext(secureContextOptions(svid)) };
    }
    return this.#built.context;
  }
}
