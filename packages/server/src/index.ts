export { SERVER_ERRORS, type ServerErrorCode } from "./errors.ts";
