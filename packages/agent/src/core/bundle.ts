import type { EpochMs } from "@bonafide/lifetime";
import type { JwtBundle, TrustDomain, X509Bundle } from "@bonafide/spiffe";

/** What identities of one trust domain are verified with, as a server states it. */
export interface TrustBundle {
  readonly trustDomain: TrustDomain;
  readonly x509: X509Bundle;
  /** Key ids (hex) of authorities that still verify, and whose SVIDs are to be replaced. */
  readonly tainted: ReadonlySet<string>;
  readonly jwt: JwtBundle;
  /** IDs of JWT keys that still verify, and whose tokens are to be replaced. */
  readonly taintedJwt: ReadonlySet<string>;
  readonly sequence: bigint;
}

/** Whether two bundles hold the same, whatever their numbers. */
export function sameBundle(a: TrustBundle | undefined, b: TrustBundle | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.x509.revision === b.x509.revision &&
    a.jwt.revision === b.jwt.revision &&
    sameSet(a.tainted, b.tainted) &&
    sameSet(a.taintedJwt, b.taintedJwt)
  );
}

function sameSet(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((one) => b.has(one));
}

/** Whether every authority of the bundle has expired, so that no server can be verified by it. */
export function allExpired(bundle: X509Bundle, now: EpochMs): boolean {
  return bundle.authorities.every(({ notAfter }) => notAfter < now);
}
