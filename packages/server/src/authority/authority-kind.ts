import type { AuthorityObject } from "@bonafide/ledger";
import type { EpochMs } from "@bonafide/lifetime";
import { type JwsSigner, jwsSigner, keyIdOf, parseCertificate, type Signer } from "@bonafide/pki";
import type { TrustDomain } from "@bonafide/spiffe";
import { authorityValidity } from "../core/svid-validity.ts";
import { authorityIdOf, makeRoot, type SigningAuthority, signingAuthority } from "./sign-svid.ts";
import type { Upstream } from "./upstream.ts";

/** What every authority that can sign now has. */
export interface AuthorityInUse {
  readonly id: string;
  /** Nothing that it signs lasts longer. */
  readonly notAfter: EpochMs;
}

/** A key that signs JWT-SVIDs; its `id` is the key ID in tokens and in the bundle. */
export interface JwtAuthority extends AuthorityInUse {
  readonly signer: JwsSigner;
}

/** What is published of an authority besides its key. */
export type PublishedPart = Pick<
  AuthorityObject,
  "id" | "certificateChain" | "notBeforeMs" | "notAfterMs"
>;

/** What differs between authorities of the two uses; their life is the same (ADR-0060). */
export interface AuthorityKind<A extends AuthorityInUse> {
  readonly use: AuthorityObject["use"];
  /** Slots of the key manager: for the active one, for a prepared one, and for the one that replaces it. */
  readonly slots: readonly [string, string, string];
  /** Whether ended ones are kept for a while: recovering nodes show chains of theirs (ADR-0063). */
  readonly outlivesItsEnd: boolean;
  /** What is published of a new key. */
  make(signer: Signer, now: EpochMs): Promise<PublishedPart>;
  /** Whether another one has to take over soon, because of what is above it. */
  isToReplace(authority: AuthorityObject): boolean;
  /** Tells those above of a key, before it signs; undefined: there is nobody to tell. */
  readonly announce: ((authority: AuthorityObject) => Promise<void>) | undefined;
  /** The authority with its key, ready to sign. */
  open(authority: AuthorityObject, signer: Signer): A | undefined;
}

/** Options of both kinds. */
export interface AuthorityKindOptions {
  readonly trustDomain: TrustDomain;
  /** Lifetime of an authority, ms. */
  readonly caTtlMs: number;
  /** What signs ours; undefined: they sign themselves. */
  readonly upstream?: Upstream | undefined;
}

/** Authorities that sign X509-SVIDs. */
export function forX509(options: AuthorityKindOptions): AuthorityKind<SigningAuthority> {
  const { trustDomain, caTtlMs, upstream } = options;
  return {
    use: "x509",
    slots: ["x509-ca-a", "x509-ca-b", "x509-ca-c"],
    outlivesItsEnd: true,
    make: async (signer, now) => {
      if (upstream !== undefined) return certified(await upstream.mint(signer, caTtlMs));
      return certified([makeRoot(signer, trustDomain, caTtlMs, now).der]);
    },
    isToReplace: (authority) =>
      upstream === undefined
        ? authority.certificateChain.length > 1
        : upstream.isOutdated(authority),
    announce: undefined,
    open: ({ certificateChain }, signer) => signingAuthority(certificateChain, signer),
  };
}

/** Authorities that sign JWT-SVIDs: they live as long as those for X.509 do. */
export function forJwt({ caTtlMs, upstream }: AuthorityKindOptions): AuthorityKind<JwtAuthority> {
  const isPublishedAbove = upstream?.publishesJwtKeys === true;
  return {
    use: "jwt",
    slots: ["jwt-key-a", "jwt-key-b", "jwt-key-c"],
    outlivesItsEnd: false,
    make: (signer, now) => {
      const { notBefore, notAfter } = authorityValidity(now, caTtlMs);
      const id = Buffer.from(keyIdOf(signer.spki)).toString("hex");
      return Promise.resolve({
        id,
        certificateChain: [],
        notBeforeMs: notBefore,
        notAfterMs: notAfter,
      });
    },
    isToReplace: ({ id }) => upstream?.isTaintedKey(id) === true,
    announce: isPublishedAbove ? (authority) => upstream.announce(authority) : undefined,
    open: ({ id, notAfterMs }, signer) => ({ id, notAfter: notAfterMs, signer: jwsSigner(signer) }),
  };
}

/** @param chain  DER, the authority first. */
function certified(chain: readonly Uint8Array[]): PublishedPart {
  const certificates = chain.map(parseCertificate);
  const [own] = certificates;
  if (own === undefined) throw new Error("an authority without a certificate");
  return {
    id: authorityIdOf(own),
    certificateChain: chain,
    notBeforeMs: own.notBefore,
    notAfterMs: Math.min(...certificates.map(({ notAfter }) => notAfter)),
  };
}
