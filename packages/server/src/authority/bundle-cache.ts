import type { Certificate } from "@bonafide/pki";
import { parseCertificate } from "@bonafide/pki";
import {
  parseSpiffeBundle,
  parseTrustDomainName,
  type TokenAuthority,
  type TrustDomain,
  type X509Bundle,
  x509BundleOf,
  type X509BundleSet,
} from "@bonafide/spiffe";
import { bundleOf, type OwnBundle } from "../core/bundle.ts";
import type { RegistryView } from "../lane/registry-view.ts";

/** Another trust domain's bundle, with what its document said. */
export interface ForeignBundle {
  readonly x509: X509Bundle;
  readonly jwtAuthorities: readonly TokenAuthority[];
  readonly sequenceNumber: bigint;
  /** 0: it gave none. */
  readonly refreshHintSeconds: number;
}

/**
 * The bundles as the registry has them, parsed once for each state: ours for peers and answers, other domains' for
 * their own members only.
 */
export class BundleCache {
  readonly #registry: RegistryView;
  readonly #trustDomain: TrustDomain;
  readonly #certificates = new Map<string, Certificate>();
  #own:
    | { readonly number: number; readonly bundle: OwnBundle; readonly x509: X509Bundle }
    | undefined;
  #foreign:
    | { readonly number: number; readonly bundles: ReadonlyMap<string, ForeignBundle> }
    | undefined;

  constructor(registry: RegistryView, trustDomain: TrustDomain) {
    this.#registry = registry;
    this.#trustDomain = trustDomain;
  }

  /** Our own bundle, with the number it has on every wire. */
  own(): { readonly number: number; readonly bundle: OwnBundle; readonly x509: X509Bundle } {
    const number = this.#registry.kindNumber("authority");
    if (this.#own?.number === number) return this.#own;
    const objects = [...this.#registry.all("authority")].map(({ object }) => object);
    const bundle = bundleOf(objects);
    const certificates = bundle.x509.map(({ id, root }) => this.#parse(id, root));
    this.#own = { number, bundle, x509: x509BundleOf(this.#trustDomain, certificates) };
    return this.#own;
  }

  /** All bundles, one a trust domain, to verify peers by. */
  all(): X509BundleSet {
    const own = this.own().x509;
    const set = new Map<TrustDomain, X509Bundle>();
    for (const { x509 } of this.#foreignBundles().values()) set.set(x509.trustDomain, x509);
    return set.set(own.trustDomain, own);
  }

  /** Another trust domain's bundle by its name; undefined: it is not here. */
  foreign(trustDomain: string): ForeignBundle | undefined {
    return this.#foreignBundles().get(trustDomain);
  }

  #foreignBundles(): ReadonlyMap<string, ForeignBundle> {
    const number = this.#registry.kindNumber("bundle");
    if (this.#foreign?.number === number) return this.#foreign.bundles;
    const bundles = new Map<string, ForeignBundle>();
    for (const { object } of this.#registry.all("bundle")) {
      const trustDomain = parseTrustDomainName(object.trustDomain);
      const text = new TextDecoder().decode(object.jwks);
      const { sequenceNumber, refreshHintSeconds } = object;
      const { x509, jwtAuthorities } = parseSpiffeBundle(trustDomain, text);
      bundles.set(trustDomain, { x509, jwtAuthorities, sequenceNumber, refreshHintSeconds });
    }
    this.#foreign = { number, bundles };
    return bundles;
  }

  #parse(id: string, der: Uint8Array): Certificate {
    const known = this.#certificates.get(id);
    if (known !== undefined) return known;
    const certificate = parseCertificate(der);
    this.#certificates.set(id, certificate);
    return certificate;
  }
}
