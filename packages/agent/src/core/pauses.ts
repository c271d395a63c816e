/** Bounds of the longest pause between two tries, ms: a twentieth of a life lies between them (ADR-0146, ADR-0151). */
const PAUSE_MS_MAX = { least: 500, most: 30_000 };

/** The longest pause of an agent that holds no SVID, ms: its workloads have nothing that they could go on with. */
const PAUSE_MS_WITHOUT_SVIDS = 5000;

/** First pauses after a failure, ms. They grow by half each time, up to {@link longestPauseMs}. */
export const FIRST_PAUSE_MS = { identity: 500, sync: 500, signing: 250 } as const;

/** The longest pause after failed signing, ms, whatever the SVIDs allow. */
export const SIGNING_PAUSE_MS_MAX = 10_000;

/** Pause after an SVID could not be written down, ms. */
export const KEEP_PAUSE_MS = 5000;

/** Steps towards an SVID that may follow one another before each costs a pause, though none of them failed. */
export const STEPS_IN_A_ROW_MAX = 6;

/**
 * The longest pause after failures that the SVIDs of an agent allow: who serves SVIDs of a minute cannot wait for half a
 * minute, they would end while the server is well again. Who has none looks often.
 *
 * @param lifeMs  Life of the shortest SVID held; undefined: none is.
 */
export function longestPauseMs(lifeMs: number | undefined): number {
  if (lifeMs === undefined) return PAUSE_MS_WITHOUT_SVIDS;
  const { least, most } = PAUSE_MS_MAX;
  return Math.max(least, Math.min(most, lifeMs / 20));
}
