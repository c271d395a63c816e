import { createHash } from "node:crypto";
import { PKI_LIMITS } from "../limits.ts";
import type { VerifiedPath } from "./verify-path.ts";

/** A verdict that was remembered, with what the caller made of it. */
export interface Verdict<Value> {
  readonly verified: VerifiedPath;
  readonly value: Value;
}

/** Digest of everything a peer presented, in order: the key of a {@link VerdictCache}. */
export function digestChain(chain: readonly Uint8Array[]): string {
  const hash = createHash("sha256");
  const length = new Uint8Array(4);
  const view = new DataView(length.buffer);
  for (const der of chain) {
    // With its length, so that octets cannot move from one certificate to the next.
    view.setUint32(0, der.length);
    hash.update(length).update(der);
  }
  return hash.digest("latin1");
}

interface Entry<Value> extends Verdict<Value> {
  readonly scope: string;
  readonly revision: string;
}

/**
 * Remembers proven chains, successes only, for one use: one set of bundles, one set of options.
 *
 * A verdict holds for the revision of the scope (trust domain) it was made under, so a new bundle flushes nothing and
 * still ends it; validity is checked again on each hit. Who may do what is not a verdict: authorizers run each time.
 */
export class VerdictCache<Value> {
  readonly #entries = new Map<string, Entry<Value>>();
  readonly #entriesMax: number;

  /** @param options.entriesMax  Default `PKI_LIMITS.verdicts`; the oldest goes first. */
  constructor(options: { readonly entriesMax?: number } = {}) {
    this.#entriesMax = options.entriesMax ?? PKI_LIMITS.verdicts;
  }

  /** How many verdicts are held. */
  get size(): number {
    return this.#entries.size;
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
    const entry = this.#entries.get(digest);
    if (entry === undefined) return undefined;
    const { notBefore, notAfter } = entry.verified;
    if (query.revisionOf(entry.scope) !== entry.revision || !(query.now <= notAfter)) {
      // Neither an old revision nor the past comes back.
      this.#entries.delete(digest);
      return undefined;
    }
    return query.now >= notBefore ? entry : undefined;
  }

  /** Remembers a verdict made under a revision of a scope. */
  remember(
    digest: string,
    verdict: Verdict<Value> & { readonly scope: string; readonly revision: string },
  ): void {
    this.#entries.delete(digest);
    this.#entries.set(digest, verdict);
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#entriesMax) break;
      this.#entries.delete(oldest);
    }
  }
}
