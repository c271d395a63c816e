import type { AuthorityObject } from "@bonafide/ledger";

/** A root certificate of the bundle. */
export interface BundleAuthority {
  readonly id: string;
  /** DER of the root: the last of the authority's chain. */
  readonly root: Uint8Array;
  readonly tainted: boolean;
}

/** The published bundle of the own trust domain. */
export interface OwnBundle {
  /** Ordered by the time they begin, then by id, so that one content has one form. */
  readonly x509: readonly BundleAuthority[];
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
  const x509: { readonly authority: BundleAuthority; readonly from: number }[] = [];
  for (const authority of authorities) {
    const root = authority.certificateChain.at(-1);
    if (authority.use !== "x509" || root === undefined || !PUBLISHED.has(authority.state)) continue;
    const tainted = authority.state === "tainted";
    x509.push({ authority: { id: authority.id, root, tainted }, from: authority.notBeforeMs });
  }
  x509.sort((a, b) => a.from - b.from || (a.authority.id < b.authority.id ? -1 : 1));
  return { x509: x509.map(({ authority }) => authority) };
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
    const root = authority.certificateChain.at(-1);
    const isTrusted =
      authority.state === "active" || authority.state === "old" || authority.state === "expired";
    if (authority.use !== "x509" || root === undefined || !isTrusted) continue;
    if (authority.notAfterMs + windowMs > now) roots.push(root);
  }
  return roots;
}
