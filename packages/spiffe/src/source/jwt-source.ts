import { BonafideError, isBonafideError } from "@bonafide/errors";
import {
  backoffMs,
  type Clock,
  Latest,
  type Random,
  slept,
  systemClock,
  systemRandom,
} from "@bonafide/lifetime";
import type { JwtBundleSet } from "../bundle/jwt-bundle.ts";
import { SPIFFE_ERRORS } from "../errors.ts";
import type { JwtSvid } from "../jwt/jwt-svid.ts";
import { type VerifiedJwtSvid, verifyJwtSvid } from "../jwt/verify-jwt-svid.ts";
import {
  openWorkloadApi,
  type WorkloadApiClient,
  type WorkloadApiOptions,
} from "../workload-api/workload-api-client.ts";

/** Options of {@link openJwtSource}. */
export interface JwtSourceOptions extends WorkloadApiOptions {
  /** Which identity's tokens are fetched; default the default one. */
  readonly id?: string;
  /** Told about each failure after which the last good bundles stay. Must not throw. */
  readonly onProblem?: (error: BonafideError) => void;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** Tokens kept for reuse; the one unused for longest goes first. */
const TOKENS_MAX = 100;

/**
 * JWT-SVIDs of this process to show to others, and the keys to judge those of others by, kept fresh until it is closed.
 *
 * Safe for concurrent use; made by {@link openJwtSource}.
 */
export class JwtSource implements AsyncDisposable {
  readonly #client: Pick<WorkloadApiClient, "fetchJwtSvids">;
  readonly #bundles: Latest<JwtBundleSet>;
  readonly #options: { readonly clock: Clock; readonly id: string | undefined };
  readonly #stop: () => Promise<void>;
  readonly #tokens = new Map<string, JwtSvid>();
  #closed: Promise<void> | undefined;

  /** Use {@link openJwtSource}. */
  constructor(
    deps: {
      readonly client: Pick<WorkloadApiClient, "fetchJwtSvids">;
      readonly bundles: Latest<JwtBundleSet>;
      readonly stop: () => Promise<void>;
    },
    options: { readonly clock: Clock; readonly id: string | undefined },
  ) {
    this.#client = deps.client;
    this.#bundles = deps.bundles;
    this.#stop = deps.stop;
    this.#options = options;
  }

  /** The keys to judge others by, one bundle per trust domain. @throws SOURCE_CLOSED */
  bundles(): JwtBundleSet {
    this.#assertOpen();
    return this.#bundles.value;
  }

  /**
   * A token to show to one audience; the same one until half of its life is over.
   *
   * @throws SOURCE_CLOSED, WORKLOAD_API_RESPONSE_INVALID
   * @throws RPC_PERMISSION_DENIED  this process has no such identity
   */
  async fetch(audience: string, options: { readonly signal?: AbortSignal } = {}): Promise<JwtSvid> {
    this.#assertOpen();
    const kept = this.#tokens.get(audience);
    if (kept !== undefined && !isHalfOver(kept, this.#options.clock.now())) return kept;
    const { id } = this.#options;
    const request = { ...options, ...(id === undefined ? {} : { id }) };
    const [svid] = await this.#client.fetchJwtSvids(audience, request);
    if (svid === undefined) throw new TypeError("an answer without a token was read");
    this.#tokens.delete(audience);
    this.#tokens.set(audience, svid);
    const oldest = this.#tokens.size > TOKENS_MAX ? this.#tokens.keys().next() : undefined;
    if (oldest?.done === false) this.#tokens.delete(oldest.value);
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
    this.#bundles.close();
    this.#tokens.clear();
    await this.#stop();
  }
}

/**
 * Opens a source of JWT-SVIDs over the Workload API and waits for its first bundles.
 *
 * @param options.signal  Bounds the opening only; when it aborts, the last failure is the error's cause.
 * @throws ENDPOINT_ADDRESS_MISSING, ENDPOINT_ADDRESS_INVALID
 * @throws NO_IDENTITY_ISSUED  no bundles before `signal` aborted
 * @throws RPC_INVALID_ARGUMENT, RPC_UNIMPLEMENTED  the endpoint does not serve JWT-SVIDs
 */
export async function openJwtSource(
  options: JwtSourceOptions = {},
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<JwtSource> {
  signal?.throwIfAborted();
  const { clock = systemClock, random = systemRandom, id, onProblem } = options;
  const client = openWorkloadApi(options);
  const ending = new AbortController();
  const bundles = new Latest<JwtBundleSet>(new Map());
  const opened = Promise.withResolvers<void>();
  let problem: BonafideError | undefined;
  const following = follow({ client, clock, random }, ending.signal, {
    onBundles: (set) => {
      bundles.set(set);
      opened.resolve();
    },
    onProblem: (error) => {
      problem = error;
      onProblem?.(error);
    },
  }).catch((error: unknown) => {
    opened.reject(error);
  });
  const stop = async (): Promise<void> => {
    ending.abort();
    await following;
    await client.close();
  };
  const onAbort = (): void => {
    const text = "no JWT bundles came from the Workload API in time";
    const cause = problem ?? signal?.reason;
    opened.reject(new BonafideError(SPIFFE_ERRORS, "NO_IDENTITY_ISSUED", text, { cause }));
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    await opened.promise;
    return new JwtSource({ client, bundles, stop }, { clock, id });
  } catch (error) {
    await stop();
    throw error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}

/** Longest pause between two tries, ms. */
const PAUSE_MS_MAX = 30_000;

interface Listener {
  onBundles(bundles: JwtBundleSet): void;
  onProblem(error: BonafideError): void;
}

/** Follows FetchJWTBundles until the signal aborts. */
async function follow(
  deps: {
    readonly client: Pick<WorkloadApiClient, "watchJwtBundles">;
    readonly clock: Clock;
    readonly random: Random;
  },
  signal: AbortSignal,
  listener: Listener,
): Promise<void> {
  for (let failures = 0; !signal.aborted; failures++) {
    try {
      for await (const bundles of deps.client.watchJwtBundles({ signal })) {
        listener.onBundles(bundles);
        failures = 0;
      }
    } catch (error) {
      if (isAborted(signal)) return;
      if (!isBonafideError(error)) throw error;
      if (error.status === "invalid_argument" || error.status === "unimplemented") throw error;
      listener.onProblem(error);
    }
    const ms = backoffMs(failures + 1, deps.random.fraction(), { maxMs: PAUSE_MS_MAX });
    if (!(await slept(deps.clock, ms, signal))) return;
  }
}

function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

function isHalfOver({ issuedAt, expiresAt }: JwtSvid, now: number): boolean {
  return issuedAt === undefined || now >= issuedAt + (expiresAt - issuedAt) / 2;
}
