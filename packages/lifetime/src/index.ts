export { backoffMs, type BackoffOptions } from "./backoff.ts";
export { type Clock, type EpochMs, systemClock } from "./clock.ts";
export { every, type EveryOptions } from "./every.ts";
export { Latest } from "./latest.ts";
export type { AnsweredCall } from "./answered-call.ts";
export {
  type Log,
  type LogEvent,
  type LogLevel,
  type LogLevelSwitch,
  type LogValue,
  silentLog,
} from "./log.ts";
export { type Random, systemRandom } from "./random.ts";
export { runTasks, type Task } from "./run-tasks.ts";
export { slept } from "./slept.ts";
export { type RateLimit, takeUnits, type Taking, type TokenBucket } from "./token-bucket.ts";
export { unlessAborted } from "./unless-aborted.ts";
export { whenAborted } from "./when-aborted.ts";
