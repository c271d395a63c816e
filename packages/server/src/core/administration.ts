/** Who calls, as the transport proved it. */
export type Caller =
  | { readonly kind: "local"; readonly uid: number }
  | { readonly kind: "agent"; readonly spiffeId: string }
  | { readonly kind: "admin"; readonly spiffeId: string }
  | { readonly kind: "member"; readonly spiffeId: string }
  | { readonly kind: "anonymous" };

/** A right to administer. The access model replaces this table later; its one reader stays. */
export interface Grant {
  /** SPIFFE ID, or `local` for everybody who reaches the private socket. */
  readonly holder: string;
  /** `full` may write everything, reserved IDs too; `entries` only entries that reserve nothing; `read` nothing. */
  readonly scope: "full" | "entries" | "read";
}

/** What a call does with the object it names. */
export type AdminMethod =
  | "read"
  | "mint"
  | "write-entry"
  | "write-node"
  | "write-token"
  /** Bundles, ours by appending and those of other trust domains, and where the latter come from. */
  | "write-bundle"
  /** Rotating, tainting and revoking authorities. */
  | "write-authority"
  | "write-ledger";

/** The object a call is about, as it is stored and as it would become; undefined: it does not (or would not) exist. */
export interface Administered {
  /** Whether its SPIFFE ID holds a grant or a flag (admin or downstream; ADR-0064). */
  readonly isReserved: boolean;
}

/** The grants of a server that has no access model: the private socket and the listed administrators hold everything. */
export function configuredGrants(adminIds: Iterable<string>): readonly Grant[] {
  return [
    { holder: "local", scope: "full" },
    ...[...adminIds].map((holder): Grant => ({ holder, scope: "full" })),
  ];
}

/**
 * Whether a caller may do this to that object. The one place that decides it; pure, so that every answer can be
 * explained afterwards.
 */
export function mayAdminister(
  grants: readonly Grant[],
  caller: Caller,
  method: AdminMethod,
  object: Administered | undefined,
): boolean {
  if (caller.kind !== "local" && caller.kind !== "admin") return false;
  const holder = caller.kind === "local" ? "local" : caller.spiffeId;
  return grants.some((grant) => grant.holder === holder && allows(grant.scope, method, object));
}

function allows(
  scope: Grant["scope"],
  method: AdminMethod,
  object: Administered | undefined,
): boolean {
  if (scope === "full" || method === "read") return true;
  return scope === "entries" && method === "write-entry" && object?.isReserved !== true;
}
