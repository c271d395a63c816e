import type { EpochMs } from "@bonafide/lifetime";
import type { TrustDomain, X509Bundle } from "@bonafide/spiffe";

/** What identities of one trust domain are verified with, as a server states it. */
export interface TrustBundle {
  readonly trustDomain: TrustDomain;
  readonly x509: X509Bundle;
  /** Key ids (hex) of authorities that still verify, and whose SVIDs are to be replaced. */
  readonly tainted: ReadonlySet<string>;
  readonly sequence: bigint;
}

/** Whether two bundles hold the same, whatever their numbers. */
export function sameBundle(a: TrustBundle | undefined, b: TrustBundle | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.x509.revision === b.x509.revision &&
    a.tainted.size === b.tainted.size &&
    [...a.tainted].every((keyId) => b.tainted.has(keyId))
  );
}

/** Whether every authority of the bundle has expired, so that no server can be verified by it. */
export function allExpired(bundle: X509Bundle, now: EpochMs): boolean {
  return bundle.authorities.every(({ notAfter }) => notAfter < now);
}
