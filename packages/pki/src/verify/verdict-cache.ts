import type { VerifiedPath } from "./verify-path.ts";

/** A verdict that was remembered, with what the caller made of it. */
export interface Verdict<Value> {
  readonly verified: VerifiedPath;
  readonly value: Value;
}

/** Digest of everything a peer presented, in order: the key of a {@link VerdictCache}. */
export function digestChain(chain: readonly Uint8Array[]): string {
  throw new Error(`not yet ${chain.length}`);
}

/**
 * Remembers proven chains, successes only, for one use (one set of bundles, one set of options).
 *
 * A verdict holds for the revision of the scope (trust domain) it was made under; validity is checked again on each
 * hit. Who may do what is not a verdict: authorizers run each time.
 */
export class VerdictCache<Value> {
  /** @param options.entriesMax  Default `PKI_LIMITS.verdicts`; the oldest goes first. */
  constructor(options: { readonly entriesMax?: number } = {}) {
    void options;
  }

  /**
   * @param digest  From {@link digestChain}.
   * @param query.now         Epoch ms.
   * @param query.revisionOf  The revision that a scope has now; undefined when it is gone.
   * @returns Undefined when the chain must be verified.
   */
  find(
    digest: string,
    query: { readonly now: number; readonly revisionOf: (scope: string) => string | undefined },
  ): Verdict<Value> | undefined {
    throw new Error(`not yet ${digest} ${query.now}`);
  }

  /** Remembers a verdict made under a revision of a scope. */
  remember(
    digest: string,
    verdict: Verdict<Value> & { readonly scope: string; readonly revision: string },
  ): void {
    throw new Error(`not yet ${digest} ${verdict.scope}`);
  }
}
