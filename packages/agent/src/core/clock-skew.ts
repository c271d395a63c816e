/** From here on a difference of clocks is logged, ms (ADR-0071). */
export const SKEW_WARN_MS = 30_000;

/** From here on nothing is issued, ms (ADR-0071). */
export const SKEW_REFUSE_MS = 300_000;

/** What a measured difference between two clocks means. */
export interface SkewJudgement {
  readonly kind: "ok" | "warn" | "refuse";
  /** Ours minus the server's, ms; positive when our clock is ahead. */
  readonly offsetMs: number;
}

/**
 * Judges the agent's clock against the server's.
 *
 * @param measured.sentAt      Our wall time before the request left.
 * @param measured.receivedAt  Our wall time when the answer was here.
 * @param measured.serverTime  The server's wall time in that answer.
 */
export function judgeSkew(measured: {
  readonly sentAt: number;
  readonly receivedAt: number;
  readonly serverTime: number;
}): SkewJudgement {
  const { sentAt, receivedAt, serverTime } = measured;
  // The answer was made at some instant of the round trip, so any offset within it is no evidence.
  const latest = receivedAt - serverTime;
  const earliest = Math.min(sentAt, receivedAt) - serverTime;
  let offsetMs = 0;
  if (earliest > 0) offsetMs = earliest;
  else if (latest < 0) offsetMs = latest;
  const size = Math.abs(offsetMs);
  if (size > SKEW_REFUSE_MS) return { kind: "refuse", offsetMs };
  return { kind: size > SKEW_WARN_MS ? "warn" : "ok", offsetMs };
}
