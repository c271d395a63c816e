/** What one user holds of something that there is a bounded number of. */
export interface Share {
  readonly own: number;
  readonly ownMax: number;
  /** Of all users. */
  readonly all: number;
  readonly max: number;
  /** Root has no bound of its own. */
  readonly isRoot: boolean;
}

/** Why a user may hold no more. */
export type ShareRefusal =
  /** There is nothing left for anybody. */
  | "none_left"
  /** It holds as much as one user may. */
  | "own_full"
  /** It holds more than is left for all others. */
  | "more_than_left";

/**
 * Whether a user may hold one more. Whoever holds more than what is left is refused, so that one user never has all, many
 * together never leave nothing, and a newcomer is always served.
 */
export function judgeShare({ own, ownMax, all, max, isRoot }: Share): ShareRefusal | undefined {
  if (all >= max) return "none_left";
  if (isRoot) return undefined;
  if (own >= ownMax) return "own_full";
  return own > max - all ? "more_than_left" : undefined;
}
