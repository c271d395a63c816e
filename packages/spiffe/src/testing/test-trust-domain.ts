import { Latest } from "@bonafide/lifetime";
import type { CertificateTemplate } from "@bonafide/pki";
import { TestCa } from "@bonafide/pki/testing";
import { x509BundleSetOf } from "../bundle/x509-bundle-set.ts";
import { type X509Bundle, x509BundleOf } from "../bundle/x509-bundle.ts";
import { parseTrustDomain } from "../id/parse-trust-domain.ts";
import type { TrustDomain } from "../id/trust-domain.ts";
import { type X509Context, x509ContextOf } from "../source/x509-context.ts";
import { X509Source } from "../source/x509-source.ts";
import { type X509Svid, x509SvidOf } from "../svid/x509-svid.ts";

/** Options of {@link TestTrustDomain}. */
export interface TestTrustDomainOptions {
  /** Epoch ms to date certificates by; default the clock's. */
  readonly now?: number;
}

/** A trust domain for tests, with an authority of its own and no server. */
export class TestTrustDomain {
  readonly trustDomain: TrustDomain;
  readonly #options: TestTrustDomainOptions;
  #authorities: readonly TestCa[];

  /** @param name  Such as `example.org`. */
  constructor(name: string, options: TestTrustDomainOptions = {}) {
    this.trustDomain = parseTrustDomain(name);
    this.#options = options;
    this.#authorities = [this.#newAuthority()];
  }

  /** The authority that signs. */
  get ca(): TestCa {
    const [newest] = this.#authorities;
    if (newest === undefined) throw new Error("a trust domain without an authority");
    return newest;
  }

  /** The bundle of now. */
  get bundle(): X509Bundle {
    return x509BundleOf(
      this.trustDomain,
      this.#authorities.map((ca) => ca.certificate),
    );
  }

  /** Adds a new authority, which signs from now on; the old one stays in the bundle until {@link dropOldAuthorities}. */
  rotateAuthority(): void {
    this.#authorities = [this.#newAuthority(), ...this.#authorities];
  }

  /** Leaves only the newest authority in the bundle. */
  dropOldAuthorities(): void {
    this.#authorities = [this.ca];
  }

  /** An SVID for a path such as `/greeter`, valid for an hour unless the template says otherwise. */
  issue(path: string, template: Partial<CertificateTemplate> = {}): X509Svid {
    return x509SvidOf(this.ca.issue(`spiffe://${this.trustDomain}${path}`, template));
  }

  /**
   * An SVID for an ID of any trust domain, signed by this one's authority: what a compromised domain can make, and what
   * must be refused everywhere.
   *
   * @param id  Such as `spiffe://another.example/admin`.
   */
  forge(id: string): X509Svid {
    return x509SvidOf(this.ca.issue(id));
  }

  /**
   * A source for one identity, without a Workload API.
   *
   * @param options.trusting  Other trust domains whose bundles it has too.
   */
  source(
    path: string,
    options: { readonly trusting?: readonly TestTrustDomain[] } = {},
  ): TestSource {
    return new TestSource(this, path, options.trusting ?? []);
  }

  #newAuthority(): TestCa {
    return new TestCa(`spiffe://${this.trustDomain}`, this.#options);
  }
}

/** An {@link X509Source} that a test rotates by hand. */
export class TestSource extends X509Source {
  readonly #state: Latest<X509Context>;
  readonly #own: TestTrustDomain;
  readonly #path: string;
  readonly #trusting: readonly TestTrustDomain[];

  /** Use {@link TestTrustDomain.source}. */
  constructor(own: TestTrustDomain, path: string, trusting: readonly TestTrustDomain[]) {
    const state = new Latest(contextOf(own.issue(path), [own, ...trusting]));
    super(state);
    this.#state = state;
    this.#own = own;
    this.#path = path;
    this.#trusting = trusting;
  }

  /** Presents another SVID, default a new one for the same path, and takes the bundles of now. */
  rotate(svid: X509Svid = this.#own.issue(this.#path)): X509Svid {
    this.#state.set(contextOf(svid, [this.#own, ...this.#trusting]));
    return svid;
  }

  /** Takes the bundles of now and keeps its SVID. */
  refreshBundles(): void {
    this.#state.set(contextOf(this.context().svid, [this.#own, ...this.#trusting]));
  }

  /** Loses its identity and all bundles, as after PERMISSION_DENIED. */
  redact(): void {
    this.#state.set({ svid: undefined, svids: [], bundles: new Map() });
  }
}

function contextOf(svid: X509Svid | undefined, domains: readonly TestTrustDomain[]): X509Context {
  return x509ContextOf(svid, x509BundleSetOf(domains.map((domain) => domain.bundle)));
}
