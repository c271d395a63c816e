import { isBonafideError } from "@bonafide/errors";
import { type Clock, Latest, type Log, type Random } from "@bonafide/lifetime";
import {
  verifyX509Svid,
  type X509Context,
  x509ContextOf,
  type X509ContextSource,
  type X509Svid,
} from "@bonafide/spiffe";
import { KEEP_PAUSE_MS } from "../core/pauses.ts";
import { planRotation, type RotationPlan } from "../core/rotation.ts";
import type { OwnSvidFacts } from "../core/standing.ts";
import type { IdentityFile, StoredIdentity } from "../disk/identity-file.ts";
import type { AuthorityTerms } from "../picture/authority-terms.ts";
import type { Picture } from "../picture/picture.ts";
import { authorityKeyId } from "../wire/key-id.ts";

/** What an {@link OwnSvid} works with. */
export interface OwnSvidDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly picture: Picture;
  readonly terms: AuthorityTerms;
  readonly identityFile: IdentityFile;
}

/**
 * The agent's SVID of the moment, on disk and in use, with its place in its life.
 *
 * A source for TLS: connections present the SVID of the moment and trust the bundle of the moment.
 */
export class OwnSvid implements X509ContextSource {
  readonly #deps: OwnSvidDeps;
  readonly #context: Latest<X509Context>;
  #held: { readonly stored: StoredIdentity; readonly plan: RotationPlan } | undefined;
  #keepAtMs: number | undefined;

  constructor(deps: OwnSvidDeps) {
    this.#deps = deps;
    this.#context = new Latest(x509ContextOf(undefined, deps.picture.ownBundles));
    deps.picture.onChange(({ bundle }) => {
      if (bundle) this.#publish();
    });
  }

  context(): X509Context {
    return this.#context.value;
  }

  updates(options: { readonly signal?: AbortSignal } = {}): AsyncIterable<X509Context> {
    return this.#context.updates(options);
  }

  get svid(): X509Svid | undefined {
    return this.#held?.stored.svid;
  }

  get reattestable(): boolean {
    return this.#held?.stored.reattestable ?? false;
  }

  /** Whether there is one to speak with now. */
  get isValid(): boolean {
    return this.#held !== undefined && this.#deps.clock.monotonicMs() < this.#held.plan.expiresAtMs;
  }

  /** Its life from receipt, ms; undefined without one. */
  get lifeMs(): number | undefined {
    if (this.#held === undefined) return undefined;
    const { svid, receivedAt } = this.#held.stored;
    return svid.notAfter - Math.max(receivedAt, svid.notBefore);
  }

  /** When it is to be written down again, monotonic ms; undefined while the disk has it. */
  get keepAtMs(): number | undefined {
    return this.#keepAtMs;
  }

  get facts(): OwnSvidFacts | undefined {
    if (this.#held === undefined) return undefined;
    const { stored, plan } = this.#held;
    const replaceAtMs = this.#replaceAtMs(stored.svid);
    const renewAtMs = Math.min(plan.renewAtMs, replaceAtMs);
    return {
      plan: { ...plan, renewAtMs },
      hasGoodAuthority: replaceAtMs !== Number.NEGATIVE_INFINITY,
    };
  }

  /** Takes one that was proven and written down. */
  take(stored: StoredIdentity): void {
    const { clock, random } = this.#deps;
    const plan = planRotation(stored.svid, {
      receivedAt: stored.receivedAt,
      now: clock.now(),
      monotonicMs: clock.monotonicMs(),
      fraction: random.fraction(),
    });
    this.#held = { stored, plan };
    this.#publish();
  }

  /**
   * Makes the one in use due at once, after the clocks went apart. Whether it is at its end is the server's to say: where
   * only our clock was set, giving it up would be wrong.
   */
  dueNow(): void {
    if (this.#held === undefined) return;
    const { stored, plan } = this.#held;
    const renewAtMs = Math.min(plan.renewAtMs, this.#deps.clock.monotonicMs());
    this.#held = { stored, plan: { ...plan, renewAtMs } };
  }

  /** Writes one down before it is used. A full disk costs the next start, and never the SVID. */
  async write(stored: StoredIdentity): Promise<void> {
    const { clock, log, identityFile } = this.#deps;
    try {
      await identityFile.write(stored);
      if (this.#keepAtMs !== undefined) {
        log({ level: "info", event: "identity.kept", fields: { id: stored.svid.id } });
      }
      this.#keepAtMs = undefined;
    } catch (error) {
      log({ level: "error", event: "identity.not_kept", error });
      this.#keepAtMs = clock.monotonicMs() + KEEP_PAUSE_MS;
    }
  }

  /** Tries again to write down the one in use. */
  async writeAgain(): Promise<void> {
    if (this.#held !== undefined) await this.write(this.#held.stored);
  }

  /** Ends all readers of {@link OwnSvid.updates}. */
  close(): void {
    this.#context.close();
  }

  #publish(): void {
    this.#context.set(x509ContextOf(this.svid, this.#deps.picture.ownBundles));
  }

  /** From when it may not stay for its authority's sake, monotonic ms; -Infinity: the bundle does not prove it. */
  #replaceAtMs(svid: X509Svid): number {
    const { picture, clock, terms } = this.#deps;
    try {
      const chain = svid.chain.map(({ der }) => der);
      // Whether it is valid now is the plan's to say; here only who signed it counts.
      const now = Math.min(Math.max(clock.now(), svid.notBefore), svid.notAfter);
      const { path } = verifyX509Svid(chain, picture.ownBundles, { now });
      const authority = path.at(-1);
      return authority === undefined
        ? Number.NEGATIVE_INFINITY
        : terms.replaceAtMs(authorityKeyId(authority));
    } catch (error) {
      // Not proven by this bundle is the answer; anything else is a bug and not swallowed.
      if (isBonafideError(error)) return Number.NEGATIVE_INFINITY;
      throw error;
    }
  }
}
