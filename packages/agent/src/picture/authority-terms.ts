import type { Clock, Random } from "@bonafide/lifetime";
import type { TrustBundle } from "../core/bundle.ts";
import { TAINT_SPREAD_MS } from "../limits.ts";
import { authorityKeyId } from "../wire/key-id.ts";
import type { Picture } from "./picture.ts";

/** What {@link AuthorityTerms} work with. */
export interface AuthorityTermsDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly picture: Picture;
}

/**
 * Until when SVIDs of each authority may stay. All of a tainted one are replaced from one instant on, which each agent
 * rolls for itself: the server that tells them all in one moment signs for them all in the next (ADR-0153).
 */
export class AuthorityTerms {
  readonly #deps: AuthorityTermsDeps;
  #of: TrustBundle | undefined;
  #terms: ReadonlyMap<string, number> = new Map();

  constructor(deps: AuthorityTermsDeps) {
    this.#deps = deps;
  }

  /**
   * From when SVIDs of an authority are to be replaced, monotonic ms: Infinity while it is good, -Infinity once it is
   * not in the bundle.
   */
  replaceAtMs(keyId: string): number {
    const { bundle } = this.#deps.picture;
    if (this.#of !== bundle) this.#adopt(bundle);
    return this.#terms.get(keyId) ?? Number.NEGATIVE_INFINITY;
  }

  #adopt(bundle: TrustBundle): void {
    const { clock, random } = this.#deps;
    const before = this.#terms;
    const from = clock.monotonicMs() + random.fraction() * TAINT_SPREAD_MS;
    const termOf = (keyId: string): number => {
      if (!bundle.tainted.has(keyId)) return Number.POSITIVE_INFINITY;
      const known = before.get(keyId);
      // Another change of the bundle gives no other term to what was tainted before.
      return known !== undefined && Number.isFinite(known) ? known : from;
    };
    this.#of = bundle;
    this.#terms = new Map(
      bundle.x509.authorities.map((authority) => {
        const keyId = authorityKeyId(authority);
        return [keyId, termOf(keyId)];
      }),
    );
  }
}
