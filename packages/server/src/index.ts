export { SERVER_ERRORS, type ServerErrorCode } from "./errors.ts";
export type { LedgerDeps, LedgerOptions, OpenedLedger, Standing } from "./memory/open-ledger.ts";
export { openServer, type RunningServer, type ServerDeps } from "./open-server.ts";
export type { ServerEvent, ServerLog } from "./server-log.ts";
export type { ServerOptions } from "./server-options.ts";
export type { RateLimit } from "./core/token-bucket.ts";
