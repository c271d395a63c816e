import type { EpochMs, Log } from "@bonafide/lifetime";
import type { JwtSvid } from "@bonafide/spiffe";
import type { Entry } from "../core/entry.ts";
import { JWT_SVID_KEPT_MAX, JWT_SVIDS_MAX } from "../limits.ts";
import type { SignJwtResult } from "../server/sign-jwt-svid.ts";
import { limitExceeded } from "../workload/limit-exceeded.ts";
import { JwtSvidMemory } from "./jwt-svid-memory.ts";
import { SigningShares } from "./signing-shares.ts";

/** What a {@link JwtSvidCache} works with. */
export interface JwtSvidCacheDeps {
  readonly log: Log;
  /** Has one signed. */
  readonly sign: (
    request: { readonly entry: Entry; readonly audience: readonly string[] },
    options: { readonly signal: AbortSignal },
  ) => Promise<SignJwtResult>;
  /** Takes one signature from a user's share. @throws CALLER_LIMIT_EXCEEDED */
  readonly takeToken: (uid: number) => void;
  /** Who answers for a uid. */
  readonly ownerOf: (uid: number) => number;
  /** The server's time. */
  readonly serverNow: () => EpochMs;
  /** Whether tokens of a JWT key may still be handed out. */
  readonly isGood: (keyId: string) => boolean;
}

interface Request {
  readonly entry: Entry;
  readonly audience: readonly string[];
}

/**
 * JWT-SVIDs by entry and audiences: one is given again until half of its life is over, and beyond that while the server
 * does not answer, to its end. Whether a caller may have it is asked before, each time.
 *
 * At most 1000, each of at most 8192 characters; those of entries that want each to be one of its kind are never kept, and those of a key that is tainted or revoked are forgotten at once.
 */
export class JwtSvidCache {
  readonly #deps: JwtSvidCacheDeps;
  readonly #kept = new JwtSvidMemory(JWT_SVIDS_MAX);
  readonly #signing = new Map<string, Promise<SignJwtResult>>();
  readonly #shares = new SigningShares();
  readonly #closing = new AbortController();

  constructor(deps: JwtSvidCacheDeps) {
    this.#deps = deps;
  }

  /** How many are kept. */
  get size(): number {
    return this.#kept.size;
  }

  /**
   * A token of this entry for these audiences. One that has to be signed is taken from the share of the caller's user.
   *
   * @throws CALLER_LIMIT_EXCEEDED
   * @throws what signing throws, when there is none that still counts
   */
  async fetch(
    entry: Entry,
    audience: readonly string[],
    options: { readonly signal: AbortSignal; readonly uid: number },
  ): Promise<SignJwtResult> {
    const request = { entry, audience };
    const { uid } = options;
    if (entry.jwtSvidIncludeJti) return this.#signCounted(request, uid, options.signal);
    const name = nameOf(entry, audience);
    const kept = this.#find(name);
    if (kept !== undefined && !isHalfOver(kept, this.#deps.serverNow())) {
      return { kind: "signed", svid: kept };
    }
    try {
      return await this.#sign(name, request, uid);
    } catch (error) {
      options.signal.throwIfAborted();
      // Signing may have taken long: what was good before may be over, or its key gone.
      const still = this.#find(name);
      if (still === undefined) throw error;
      this.#deps.log({ level: "warn", event: "jwt_svid.not_renewed", error });
      return { kind: "signed", svid: still };
    }
  }

  /** Ends what is being signed, and forgets all. */
  close(): void {
    this.#closing.abort(new Error("the agent is closed"));
    this.#kept.clear();
  }

  /** Forgets those whose key is tainted or gone, after the bundle changed. */
  dropBad(): void {
    this.#kept.deleteWhere(({ keyId }) => !this.#deps.isGood(keyId));
  }

  /** Forgets those that are kept, after time itself jumped. */
  clear(): void {
    this.#kept.clear();
  }

  /** The one that still counts, as the one used last. */
  #find(name: string): JwtSvid | undefined {
    const kept = this.#kept.find(name);
    if (kept === undefined) return undefined;
    if (kept.expiresAt > this.#deps.serverNow() && this.#deps.isGood(kept.keyId)) return kept;
    this.#kept.delete(name);
    return undefined;
  }

  /** Callers who want the same at the same time share one signature; no caller who leaves takes it from the others. */
  #sign(name: string, request: Request, uid: number): Promise<SignJwtResult> {
    const running = this.#signing.get(name);
    if (running !== undefined) return running;
    const signing = this.#signAndKeep(name, request, uid).finally(() => this.#signing.delete(name));
    this.#signing.set(name, signing);
    return signing;
  }

  async #signAndKeep(name: string, request: Request, uid: number): Promise<SignJwtResult> {
    const result = await this.#signCounted(request, uid, this.#closing.signal);
    this.#kept.delete(name);
    // Whatever the entry says: a token ID that is given twice looks like a replay.
    if (result.kind === "signed" && !result.svid.claims.has("jti")) {
      const isSmall = result.svid.token.length <= JWT_SVID_KEPT_MAX;
      if (isSmall) this.#kept.keep(name, this.#deps.ownerOf(uid), result.svid);
    }
    return result;
  }

  /** @throws CALLER_LIMIT_EXCEEDED */
  async #signCounted(request: Request, uid: number, signal: AbortSignal): Promise<SignJwtResult> {
    const owner = this.#deps.ownerOf(uid);
    if (!this.#shares.begin(owner)) {
      throw limitExceeded(`uid ${owner} waits for as many tokens as it may`);
    }
    try {
      this.#deps.takeToken(uid);
      return await this.#deps.sign(request, { signal });
    } finally {
      this.#shares.end(owner);
    }
  }
}

function isHalfOver({ issuedAt = 0, expiresAt }: JwtSvid, now: EpochMs): boolean {
  return now >= issuedAt + (expiresAt - issuedAt) / 2;
}

/** An entry that was changed is another one: its tokens may live longer, or carry another hint. */
function nameOf(entry: Entry, audience: readonly string[]): string {
  return JSON.stringify([entry.id, entry.spiffeId, String(entry.revision), audience.toSorted()]);
}
