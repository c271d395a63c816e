import type { BundleObject } from "@bonafide/ledger";
import { equalBytes } from "@bonafide/ledger";
import type { Log } from "@bonafide/lifetime";
import type { Certificate } from "@bonafide/pki";
import { parseCertificate } from "@bonafide/pki";
import {
  type SpiffeBundle,
  type TrustDomain,
  type X509Bundle,
  x509BundleOf,
  type X509BundleSet,
} from "@bonafide/spiffe";
import { bundleOf, type OwnBundle } from "../core/bundle.ts";
import { readBundleObject } from "../federation/foreign-bundle.ts";
import type { RegistryView } from "../lane/registry-view.ts";

/** Another trust domain's bundle. */
export type ForeignBundle = SpiffeBundle;

interface Read {
  readonly object: BundleObject;
  readonly bundle: ForeignBundle | undefined;
}

/**
 * The bundles as the registry has them, parsed once for each state: ours for peers and answers, other domains' for
 * their own members only.
 */
export class BundleCache {
  readonly #registry: RegistryView;
  readonly #trustDomain: TrustDomain;
  readonly #log: Log;
  readonly #certificates = new Map<string, Certificate>();
  #own:
    | { readonly number: number; readonly bundle: OwnBundle; readonly x509: X509Bundle }
    | undefined;
  #foreign: { readonly number: number; readonly bundles: ReadonlyMap<string, Read> } | undefined;
  #all:
    | { readonly own: X509Bundle; readonly foreign: unknown; readonly set: X509BundleSet }
    | undefined;

  /** @param log  Told of a stored bundle that cannot be read: nobody of its trust domain is trusted then. */
  constructor(registry: RegistryView, trustDomain: TrustDomain, log: Log) {
    this.#registry = registry;
    this.#trustDomain = trustDomain;
    this.#log = log;
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
    const foreign = this.#foreignBundles();
    if (this.#all?.own === own && this.#all.foreign === foreign) return this.#all.set;
    const set = new Map<TrustDomain, X509Bundle>();
    for (const { bundle } of foreign.values()) {
      if (bundle !== undefined) set.set(bundle.trustDomain, bundle.x509);
    }
    set.set(own.trustDomain, own);
    this.#all = { own, foreign, set };
    return set;
  }

  /** Another trust domain's bundle by its name; undefined: it is not here. */
  foreign(trustDomain: string): ForeignBundle | undefined {
    return this.#foreignBundles().get(trustDomain)?.bundle;
  }

  #foreignBundles(): ReadonlyMap<string, Read> {
    const number = this.#registry.kindNumber("bundle");
    if (this.#foreign?.number === number) return this.#foreign.bundles;
    const before = this.#foreign?.bundles;
    const bundles = new Map<string, Read>();
    for (const { object } of this.#registry.all("bundle")) {
      const known = before?.get(object.trustDomain);
      bundles.set(object.trustDomain, known?.object === object ? known : this.#read(object));
    }
    this.#foreign = { number, bundles };
    return bundles;
  }

  /** One that cannot be read must not take the others with it. */
  #read(object: BundleObject): Read {
    try {
      return { object, bundle: readBundleObject(object) };
    } catch (error) {
      const fields = { trustDomain: object.trustDomain };
      this.#log({ level: "error", event: "federated_bundle.unreadable", fields, error });
      return { object, bundle: undefined };
    }
  }

  #parse(id: string, der: Uint8Array): Certificate {
    const known = this.#certificates.get(id);
    // A root above may be renewed with its key, and then has its id.
    if (known !== undefined && equalBytes(known.der, der)) return known;
    const certificate = parseCertificate(der);
    this.#certificates.set(id, certificate);
    return certificate;
  }
}
