export { SERVER_ERRORS, type ServerErrorCode } from "./errors.ts";
export {
  followWebCertificate,
  readWebCertificate,
  type WebCertificate,
  type WebCertificateFiles,
} from "./federation/web-certificate.ts";
export type { BundleEndpointOptions } from "./federation/own-endpoint.ts";
export { openLedger } from "./memory/open-ledger.ts";
export type {
  LedgerDeps,
  LedgerEvent,
  LedgerOptions,
  OpenedLedger,
  Standing,
} from "./memory/opened-ledger.ts";
export {
  openServer,
  type RunningServer,
  type ServerDeps,
  type ServerMeasures,
} from "./open-server.ts";
export type { ServerOptions } from "./server-options.ts";
export type { RateLimit } from "@bonafide/lifetime";
export { exportStore, type InspectOptions, verifyStore } from "./lane/inspect-store.ts";
