import { type Clock, systemClock } from "@bonafide/lifetime";
import { shiftedClock } from "@bonafide/lifetime/testing";

const EIGHT_DAYS_MS = 8 * 86_400_000;

/** The machine's clock, eight days ahead: past the life of every SVID and authority of today. */
export const later: Clock = shiftedClock(systemClock, EIGHT_DAYS_MS);
