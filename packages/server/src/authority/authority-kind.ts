import type { AuthorityObject } from "@bonafide/ledger";
import type { EpochMs } from "@bonafide/lifetime";
import { type JwsSigner, jwsSigner, keyIdOf, type Signer } from "@bonafide/pki";
import type { TrustDomain } from "@bonafide/spiffe";
import { authorityValidity } from "../core/svid-validity.ts";
import { authorityIdOf, makeRoot, type SigningAuthority, signingAuthority } from "./sign-svid.ts";

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

/** What differs between authorities of the two uses; their life is the same (ADR-0060). */
export interface AuthorityKind<A extends AuthorityInUse> {
  readonly use: AuthorityObject["use"];
  /** Slots of the key manager: for the active one, for a prepared one, and for the one that replaces it. */
  readonly slots: readonly [string, string, string];
  /** Whether ended ones are kept for a while: recovering nodes show chains of theirs (ADR-0063). */
  readonly outlivesItsEnd: boolean;
  /** What is published of a new key. */
  make(
    signer: Signer,
    now: EpochMs,
  ): Pick<AuthorityObject, "id" | "certificateChain" | "notBeforeMs" | "notAfterMs">;
  /** The authority with its key, ready to sign. */
  open(authority: AuthorityObject, signer: Signer): A | undefined;
}

/** Options of both kinds. */
export interface AuthorityKindOptions {
  readonly trustDomain: TrustDomain;
  /** Lifetime of an authority, ms. */
  readonly caTtlMs: number;
}

/** Authorities that sign X509-SVIDs. */
export function forX509(options: AuthorityKindOptions): AuthorityKind<SigningAuthority> {
  return {
    use: "x509",
    slots: ["x509-ca-a", "x509-ca-b", "x509-ca-c"],
    outlivesItsEnd: true,
    make: (signer, now) => {
      const root = makeRoot(signer, options.trustDomain, options.caTtlMs, now);
      return {
        id: authorityIdOf(root),
        certificateChain: [root.der],
        notBeforeMs: root.notBefore,
        notAfterMs: root.notAfter,
      };
    },
    open: ({ certificateChain }, signer) => signingAuthority(certificateChain, signer),
  };
}

/** Authorities that sign JWT-SVIDs: they live as long as those for X.509 do. */
export function forJwt(options: AuthorityKindOptions): AuthorityKind<JwtAuthority> {
  return {
    use: "jwt",
    slots: ["jwt-key-a", "jwt-key-b", "jwt-key-c"],
    outlivesItsEnd: false,
    make: (signer, now) => {
      const { notBefore, notAfter } = authorityValidity(now, options.caTtlMs);
      const id = Buffer.from(keyIdOf(signer.spki)).toString("hex");
      return { id, certificateChain: [], notBeforeMs: notBefore, notAfterMs: notAfter };
    },
    open: ({ id, notAfterMs }, signer) => ({ id, notAfter: notAfterMs, signer: jwsSigner(signer) }),
  };
}
