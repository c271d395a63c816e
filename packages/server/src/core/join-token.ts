/** What the registry keeps of a join token; the token itself is never kept. Instants are epoch ms. */
export interface TokenStanding {
  readonly expiresAt: number;
  /** Set once the token made a node. */
  readonly spent: { readonly keyDigest: string; readonly at: number } | undefined;
}

/** What to do with a caller that shows a join token. */
export type TokenJudgement =
  | { readonly kind: "spend" }
  | { readonly kind: "repeat" }
  | { readonly kind: "refuse"; readonly reason: TokenRefusal };

/** Why a join token is refused. Callers are told nothing of it but that it was; the log and the alarm are. */
export type TokenRefusal = "unknown" | "expired" | "spent" | "spent-by-another-key" | "node-gone";

/** How long the holder of the first key may repeat a call whose answer was lost, ms. */
export const TOKEN_REPEAT_MS = 600_000;

/**
 * Judges a join token. It makes one node, once; only whoever holds the key of the first request may ask again, for a
 * while, in case the answer was lost, and only while that node lives.
 *
 * @param keyDigest  Of the public key that the caller proved to hold.
 * @param nodeState  Of the node that the token made, or would make; undefined: none yet.
 */
export function judgeToken(
  token: TokenStanding | undefined,
  keyDigest: string,
  nodeState: "live" | "banned" | "evicted" | undefined,
  now: number,
): TokenJudgement {
  if (token === undefined) return { kind: "refuse", reason: "unknown" };
  if (token.spent === undefined) {
    return now < token.expiresAt ? { kind: "spend" } : { kind: "refuse", reason: "expired" };
  }
  if (token.spent.keyDigest !== keyDigest) {
    return { kind: "refuse", reason: "spent-by-another-key" };
  }
  if (nodeState !== "live") return { kind: "refuse", reason: "node-gone" };
  const isInTime = now < token.spent.at + TOKEN_REPEAT_MS;
  return isInTime ? { kind: "repeat" } : { kind: "refuse", reason: "spent" };
}

/** Whether a refusal looks like a stolen token and so is written to the ledger as an alarm. */
export function isTokenAttack(reason: TokenRefusal): boolean {
  return reason === "spent-by-another-key";
}
