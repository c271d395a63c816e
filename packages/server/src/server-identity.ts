import type { KeyObject } from "node:crypto";
import { type Clock, type EpochMs, every, type Log } from "@bonafide/lifetime";
import { generateKey, parseCertificate } from "@bonafide/pki";
import { spiffeIdOf, type TrustDomain, type X509Svid, x509SvidOf } from "@bonafide/spiffe";
import type { AuthorityService } from "./authority/authority-service.ts";
import { type SigningAuthority, signSvid } from "./authority/sign-svid.ts";

/** What {@link ServerIdentity} works with. */
export interface ServerIdentityDeps {
  readonly authorities: AuthorityService<SigningAuthority>;
  readonly clock: Clock;
  readonly log: Log;
  /** Called with each new SVID. */
  readonly present: (svid: X509Svid) => void;
}

/** How often the SVID is looked at, ms. */
const LOOK_MS = 5000;

/** The server's own SVID, `spiffe://td/spire/server`: signed by itself, renewed at half of its life. */
export class ServerIdentity {
  readonly #deps: ServerIdentityDeps;
  readonly #trustDomain: TrustDomain;
  readonly #ttlMs: number;
  #svid: X509Svid;
  #signedBy: string;

  private constructor(
    deps: ServerIdentityDeps,
    trustDomain: TrustDomain,
    ttlMs: number,
    first: { readonly svid: X509Svid; readonly signedBy: string },
  ) {
    this.#deps = deps;
    this.#trustDomain = trustDomain;
    this.#ttlMs = ttlMs;
    this.#svid = first.svid;
    this.#signedBy = first.signedBy;
  }

  /** Signs the first SVID. @throws AUTHORITY_NOT_READY */
  static open(deps: ServerIdentityDeps, trustDomain: TrustDomain, ttlMs: number): ServerIdentity {
    return new ServerIdentity(deps, trustDomain, ttlMs, sign(deps, trustDomain, ttlMs));
  }

  /** The SVID to present now. */
  get svid(): X509Svid {
    return this.#svid;
  }

  /** Renews if half of the life is over, or if the authority behind it is no longer the one that signs. */
  refresh(): void {
    const { clock, authorities, present } = this.#deps;
    const now = clock.now();
    if (now < halfLife(this.#svid) && authorities.signing().id === this.#signedBy) return;
    const next = sign(this.#deps, this.#trustDomain, this.#ttlMs);
    this.#svid = next.svid;
    this.#signedBy = next.signedBy;
    present(next.svid);
  }

  /** Refreshes again and again until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#deps;
    const failed = (error: unknown): void => {
      log({ level: "warn", event: "server_svid.not_renewed", error });
    };
    await every({ clock, ms: LOOK_MS, failed }, () => this.refresh(), signal);
  }
}

function sign(
  { authorities, clock }: ServerIdentityDeps,
  trustDomain: TrustDomain,
  ttlMs: number,
): { readonly svid: X509Svid; readonly signedBy: string } {
  const key: { readonly privateKey: KeyObject; readonly spki: Uint8Array } = generateKey("ec-p256");
  const authority = authorities.signing();
  const id = spiffeIdOf(trustDomain, "spire", "server");
  const { chain } = signSvid(authority, { id, spki: key.spki, ttlMs }, clock.now());
  const svid = x509SvidOf({ chain: chain.map(parseCertificate), privateKey: key.privateKey });
  return { svid, signedBy: authority.id };
}

function halfLife(svid: X509Svid): EpochMs {
  return svid.notBefore + (svid.notAfter - svid.notBefore) / 2;
}
