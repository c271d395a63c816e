import type { ErrorTable } from "@bonafide/errors";

/** The closed table of codes that every upstream authority uses. */
export const UPSTREAM_AUTHORITY_ERRORS = {
  /** What was set up, or what the upstream answered, cannot be used; the message says why. */
  UPSTREAM_AUTHORITY_INVALID: { status: "failed_precondition", retry: true },
  /** The upstream cannot be reached, or is not ready. */
  UPSTREAM_AUTHORITY_UNAVAILABLE: { status: "unavailable", retry: true },
  /** The upstream does not give this server what it asked for. */
  UPSTREAM_AUTHORITY_REFUSED: { status: "failed_precondition", retry: true },
  /** The upstream authority was closed. */
  UPSTREAM_AUTHORITY_CLOSED: { status: "failed_precondition", retry: false },
} as const;
UPSTREAM_AUTHORITY_ERRORS satisfies ErrorTable;

/** A root above a server. */
export interface UpstreamRoot {
  /** DER. */
  readonly certificate: Uint8Array;
  readonly tainted: boolean;
}

/** A key for JWT-SVIDs that the upstream publishes. */
export interface UpstreamJwtKey {
  readonly keyId: string;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
  /** Epoch ms; 0: never. */
  readonly expiresAt: number;
  readonly tainted: boolean;
}

/** What the upstream says now about the trust domain's authorities. */
export interface UpstreamBundle {
  /** At least one. */
  readonly roots: readonly UpstreamRoot[];
  /** Empty from an upstream that knows no such keys. */
  readonly jwtKeys: readonly UpstreamJwtKey[];
  /** Rises with each change, where the upstream counts; an answer below one that was seen is late. */
  readonly sequenceNumber: bigint | undefined;
  /** Whether what is missing here was withdrawn; otherwise it may only have been replaced, and still counts. */
  readonly isWhole: boolean;
}

/** A certificate for an authority of ours. */
export interface MintedAuthority {
  /** DER: ours first, then each one's issuer, without the root. */
  readonly chain: readonly Uint8Array[];
  /** Roots that it may lead to. */
  readonly roots: readonly UpstreamRoot[];
}

/** What to certify. */
export interface MintRequest {
  /** PKCS#10, DER, signed by the key; its URI is the trust domain's ID. */
  readonly csr: Uint8Array;
  /** Wished lifetime, ms; the upstream may give less. */
  readonly ttlMs: number;
}

/**
 * Signs the authorities of a server, so that they lead to a root above it.
 *
 * Contract:
 * - Safe for concurrent calls.
 * - `mint` resolves with a chain in which each certificate is signed by the next, the last by one of `roots`.
 * - `bundle` answers with the newest state that can be had; when what it reads cannot be read any more, a manager that
 *   reads files answers with the last good one and says so in the log, one that asks a server fails.
 * - Every call ends within a bound of its own, or when `signal` aborts.
 * - After `close` every call fails with UPSTREAM_AUTHORITY_CLOSED; `close` is idempotent.
 * - No error and no log line holds key material.
 */
export interface UpstreamAuthority extends AsyncDisposable {
  /** Such as `disk`. */
  readonly name: string;
  /** @throws UPSTREAM_AUTHORITY_INVALID, UPSTREAM_AUTHORITY_UNAVAILABLE, UPSTREAM_AUTHORITY_REFUSED */
  mint(request: MintRequest, options?: { readonly signal?: AbortSignal }): Promise<MintedAuthority>;
  /** @throws UPSTREAM_AUTHORITY_INVALID, UPSTREAM_AUTHORITY_UNAVAILABLE, UPSTREAM_AUTHORITY_REFUSED */
  bundle(options?: { readonly signal?: AbortSignal }): Promise<UpstreamBundle>;
  close(): Promise<void>;
}

/** The ability of an upstream that publishes keys for JWT-SVIDs of the servers below it. */
export interface CanPublishJwtKeys {
  /**
   * Publishes a key; one that is published already is no failure.
   *
   * @returns Every key that the upstream publishes from now on.
   * @throws UPSTREAM_AUTHORITY_UNAVAILABLE, UPSTREAM_AUTHORITY_REFUSED
   */
  publishJwtKey(
    key: UpstreamJwtKey,
    options?: { readonly signal?: AbortSignal },
  ): Promise<readonly UpstreamJwtKey[]>;
}

/** Whether an upstream has the ability {@link CanPublishJwtKeys}. */
export function canPublishJwtKeys(
  upstream: UpstreamAuthority,
): upstream is UpstreamAuthority & CanPublishJwtKeys {
  return "publishJwtKey" in upstream && typeof upstream.publishJwtKey === "function";
}
