/** How long something lasts if no server answers from now on, ms from now. Both 0 if there is none of it. */
export interface Lasting {
  /** Until the first may end. */
  readonly firstMs: number;
  /** Until all have ended. */
  readonly lastMs: number;
}

const NOTHING: Lasting = { firstMs: 0, lastMs: 0 };

/**
 * An SVID is renewed at half of its life, a twentieth earlier or later: this much of it is left at least while servers
 * answer.
 */
const LEFT_AT_RENEWAL = 0.45;

/**
 * How long SVIDs last of which only the lives are known.
 *
 * @param livesMs  One for each entry.
 * @param authorityMs  Until the authority that signs them ends; nothing outlives it.
 */
export function lastingOfLives(livesMs: Iterable<number>, authorityMs: number): Lasting {
  let shortest = Number.POSITIVE_INFINITY;
  let longest = 0;
  for (const life of livesMs) {
    shortest = Math.min(shortest, life);
    longest = Math.max(longest, life);
  }
  if (longest === 0 || authorityMs <= 0) return NOTHING;
  return {
    firstMs: Math.min(Math.floor(shortest * LEFT_AT_RENEWAL), authorityMs),
    lastMs: Math.min(longest, authorityMs),
  };
}

/** How long things last whose ends are known; what has ended does not count. @param now  Epoch ms. */
export function lastingOfEnds(endsMs: Iterable<number>, now: number): Lasting {
  const left = Array.from(endsMs, (end) => end - now).filter((ms) => ms > 0);
  if (left.length === 0) return NOTHING;
  return left.reduce<Lasting>(
    ({ firstMs, lastMs }, ms) => ({ firstMs: Math.min(firstMs, ms), lastMs: Math.max(lastMs, ms) }),
    { firstMs: Number.POSITIVE_INFINITY, lastMs: 0 },
  );
}
