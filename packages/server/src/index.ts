export { SERVER_ERRORS, type ServerErrorCode } from "./errors.ts";
export {
  type LedgerDeps,
  type LedgerEvent,
  type LedgerOptions,
  openLedger,
  type OpenedLedger,
  type Standing,
} from "./memory/open-ledger.ts";
export { openServer, type RunningServer, type ServerDeps } from "./open-server.ts";
export type { ServerEvent, ServerLog } from "./server-log.ts";
export type { ServerOptions } from "./server-options.ts";
export type { RateLimit } from "./core/token-bucket.ts";
export { exportStore, type InspectOptions, leavesFrom, verifyStore } from "./lane/inspect-store.ts";
