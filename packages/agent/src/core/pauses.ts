/** Bounds of the longest pause between two tries, ms: a twentieth of a life lies between them (ADR-0146). */
const PAUSE_MS_MAX = { least: 500, most: 30_000 };

/**
 * The longest pause after failures that the SVIDs of an agent allow: who serves SVIDs of a minute cannot wait for half a
 * minute, they would end while the server is well again.
 *
 * @param lifeMs  Life of the shortest SVID held; undefined: none is.
 */
export function longestPauseMs(lifeMs: number | undefined): number {
  const { least, most } = PAUSE_MS_MAX;
  return lifeMs === undefined ? most : Math.max(least, Math.min(most, lifeMs / 20));
}
