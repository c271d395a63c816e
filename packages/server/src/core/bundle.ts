import type { AuthorityObject } from "@bonafide/ledger";

/** A root certificate of the bundle. */
export interface BundleAuthority {
  readonly id: string;
  /** DER of the root. */
  readonly root: Uint8Array;
  readonly tainted: boolean;
}

/** A key of the bundle that verifies JWT-SVIDs. */
export interface BundleJwtKey {
  /** The key ID in tokens. */
  readonly id: string;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
  /** Epoch ms; 0: never. */
  readonly notAfter: number;
  readonly tainted: boolean;
}

/** The published bundle of the own trust domain. Each list by the time they begin, then by id: one content, one form. */
export interface OwnBundle {
  readonly x509: readonly BundleAuthority[];
  readonly jwt: readonly BundleJwtKey[];
}

/** States whose authorities are published. A tainted one is until it is revoked: its holders must see it to move away. */
const PUBLISHED: ReadonlySet<AuthorityObject["state"]> = new Set([
  "prepared",
  "active",
  "old",
  "tainted",
]);

/** The bundle that the authorities of all servers make together. A prepared one is in it before it ever signs. */
export function bundleOf(authorities: Iterable<AuthorityObject>): OwnBundle {
  const published = [...authorities]
    .filter(({ state }) => PUBLISHED.has(state))
    .toSorted((a, b) => a.notBeforeMs - b.notBeforeMs || (a.id < b.id ? -1 : 1));
  const x509: BundleAuthority[] = [];
  const jwt: BundleJwtKey[] = [];
  for (const { id, use, state, certificateChain, publicKey, notAfterMs } of published) {
    const tainted = state === "tainted";
    const [root, ...above] = certificateChain;
    if (use === "jwt") jwt.push({ id, publicKey, notAfter: notAfterMs, tainted });
    // One that was signed above is no root; its root is an object of its own.
    else if (root !== undefined && above.length === 0) x509.push({ id, root, tainted });
  }
  return { x509, jwt };
}

/**
 * The roots that a recovering node's expired chain may lead to: published ones and those that ended within the window,
 * but never a revoked or tainted one.
 */
export function recoveryRoots(
  authorities: Iterable<AuthorityObject>,
  now: number,
  windowMs: number,
): readonly Uint8Array[] {
  const roots: Uint8Array[] = [];
  for (const authority of authorities) {
    const [root, ...above] = authority.certificateChain;
    if (above.length > 0) continue;
    const isTrusted =
      authority.state === "active" || authority.state === "old" || authority.state === "expired";
    if (authority.use !== "x509" || root === undefined || !isTrusted) continue;
    if (authority.notAfterMs + windowMs > now) roots.push(root);
  }
  return roots;
}
