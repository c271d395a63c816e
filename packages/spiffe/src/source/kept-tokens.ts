import type { EpochMs } from "@bonafide/lifetime";
import type { JwtSvid } from "../jwt/jwt-svid.ts";

/** Tokens kept for reuse; the one unused for longest goes first. */
const TOKENS_MAX = 100;

/** Tokens of one identity by their audience, each until half of its life is over. */
export class KeptTokens {
  #kept = new Map<string, JwtSvid>();

  /** The token for an audience, if one is kept that is worth showing. */
  find(audience: string, now: EpochMs): JwtSvid | undefined {
    const svid = this.#kept.get(audience);
    this.#kept.delete(audience);
    if (svid === undefined || isHalfOver(svid, now)) return undefined;
    this.#kept.set(audience, svid);
    return svid;
  }

  /**
   * Begins to ask for a token.
   *
   * @returns Keeps the answer, unless all were dropped meanwhile: it may be of before.
   */
  asking(audience: string): (svid: JwtSvid) => void {
    const kept = this.#kept;
    return (svid) => {
      kept.delete(audience);
      kept.set(audience, svid);
      const oldest = kept.size > TOKENS_MAX ? kept.keys().next() : undefined;
      if (oldest?.done === false) kept.delete(oldest.value);
    };
  }

  /** Forgets all, those too that were asked for and have not come yet. */
  drop(): void {
    this.#kept = new Map();
  }
}

function isHalfOver({ issuedAt, expiresAt }: JwtSvid, now: EpochMs): boolean {
  return issuedAt === undefined || now >= issuedAt + (expiresAt - issuedAt) / 2;
}
