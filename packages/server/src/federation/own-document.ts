import { publicKeyOf } from "@bonafide/pki";
import { formatSpiffeBundle, type TrustDomain } from "@bonafide/spiffe";
import type { BundleCache } from "../authority/bundle-cache.ts";

/** Our own bundle as a SPIFFE bundle document, written once for each state. */
export class OwnDocument {
  readonly #bundles: BundleCache;
  readonly #trustDomain: TrustDomain;
  readonly #refreshHintSeconds: number;
  #written: { readonly number: number; readonly bytes: Buffer } | undefined;

  constructor(bundles: BundleCache, trustDomain: TrustDomain, refreshHintSeconds: number) {
    this.#bundles = bundles;
    this.#trustDomain = trustDomain;
    this.#refreshHintSeconds = refreshHintSeconds;
  }

  /** The document as of now, UTF-8. A prepared authority is in it before it signs (FED-02). */
  get now(): Buffer {
    const { number, bundle, x509 } = this.#bundles.own();
    if (this.#written?.number === number) return this.#written.bytes;
    const text = formatSpiffeBundle({
      trustDomain: this.#trustDomain,
      sequence: BigInt(number),
      refreshHintSeconds: this.#refreshHintSeconds,
      x509,
      jwtAuthorities: bundle.jwt.map(({ id, publicKey }) => ({
        keyId: id,
        publicKey: publicKeyOf({ spki: publicKey }),
      })),
      witAuthorities: [],
    });
    this.#written = { number, bytes: Buffer.from(text) };
    return this.#written.bytes;
  }
}
