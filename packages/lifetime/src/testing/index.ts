export { ManualClock } from "./manual-clock.ts";
export { shiftedClock } from "./shifted-clock.ts";
