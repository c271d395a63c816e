import { BonafideError, isBonafideError } from "@bonafide/errors";
import type { Clock, Latest } from "@bonafide/lifetime";
import type { JwtBundleSet } from "../bundle/jwt-bundle.ts";
import { SPIFFE_ERRORS } from "../errors.ts";
import type { JwtSvid } from "../jwt/jwt-svid.ts";
import { type VerifiedJwtSvid, verifyJwtSvid } from "../jwt/verify-jwt-svid.ts";
import type { WorkloadApiClient } from "../workload-api/workload-api-client.ts";
import type { KeptTokens } from "./kept-tokens.ts";

/** What a {@link JwtSource} works with. */
interface JwtSourceDeps {
  readonly client: Pick<WorkloadApiClient, "fetchJwtSvids">;
  readonly bundles: Latest<JwtBundleSet>;
  readonly tokens: KeptTokens;
  readonly stop: () => Promise<void>;
}

/**
 * JWT-SVIDs of this process to show to others, and the keys to judge those of others by, kept fresh until it is closed.
 * When the Workload API has no identity for this process any more, both are dropped until it has one again.
 *
 * Safe for concurrent use; made by `openJwtSource`.
 */
export class JwtSource implements AsyncDisposable {
  readonly #deps: JwtSourceDeps;
  readonly #options: { readonly clock: Clock; readonly id: string | undefined };
  #closed: Promise<void> | undefined;

  /** Use `openJwtSource`. */
  constructor(
    deps: JwtSourceDeps,
    options: { readonly clock: Clock; readonly id: string | undefined },
  ) {
    this.#deps = deps;
    this.#options = options;
  }

  /**
   * The keys to judge others by, one bundle per trust domain; none after the identity was taken back.
   *
   * @throws SOURCE_CLOSED
   */
  bundles(): JwtBundleSet {
    this.#assertOpen();
    return this.#deps.bundles.value;
  }

  /**
   * A token to show to one audience; the same one until half of its life is over.
   *
   * @throws SOURCE_CLOSED, WORKLOAD_API_RESPONSE_INVALID
   * @throws RPC_PERMISSION_DENIED  this process has no such identity (any more)
   */
  async fetch(audience: string, options: { readonly signal?: AbortSignal } = {}): Promise<JwtSvid> {
    this.#assertOpen();
    const { client, tokens } = this.#deps;
    const { clock, id } = this.#options;
    const kept = tokens.find(audience, clock.now());
    if (kept !== undefined) return kept;
    const keep = tokens.asking(audience);
    const request = { ...options, ...(id === undefined ? {} : { id }) };
    let svids: readonly JwtSvid[];
    try {
      svids = await client.fetchJwtSvids(audience, request);
    } catch (error) {
      // Whoever has no identity for one audience has none for the others.
      if (isBonafideError(error) && error.status === "permission_denied") tokens.drop();
      throw error;
    }
    this.#assertOpen();
    const [svid] = svids;
    if (svid === undefined) throw new TypeError("an answer without a token was read");
    keep(svid);
    return svid;
  }

  /**
   * Verifies a token that somebody showed us, in this process.
   *
   * @throws as `verifyJwtSvid`, and SOURCE_CLOSED
   */
  verify(
    token: string,
    options: { readonly audience: string | readonly string[] },
  ): VerifiedJwtSvid {
    return verifyJwtSvid(token, this.bundles(), { ...options, now: this.#options.clock.now() });
  }

  /** Ends the source and waits for its work to end. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  /** The same as {@link JwtSource.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #assertOpen(): void {
    if (this.#closed === undefined) return;
    throw new BonafideError(SPIFFE_ERRORS, "SOURCE_CLOSED", "the source was closed");
  }

  async #end(): Promise<void> {
    const { bundles, tokens, stop } = this.#deps;
    bundles.close();
    tokens.drop();
    await stop();
  }
}
