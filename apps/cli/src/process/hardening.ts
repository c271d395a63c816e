import inspector from "node:inspector";
import process from "node:process";
import { BonafideError } from "@bonafide/errors";
import { CLI_ERRORS } from "../errors.ts";

/** Variables that make a process run foreign code or trust foreign roots; cleared for our children too. */
const DANGEROUS =
  /^(?:NODE_OPTIONS|NODE_EXTRA_CA_CERTS|NODE_TLS_REJECT_UNAUTHORIZED|OPENSSL_.*|SSL_CERT_.*|LD_.*)$/;

/**
 * Prepares a process that holds keys: refuses an inspector, drops variables that could have put code or trust into it
 * (see SECURITY.md), and makes its files private.
 *
 * @throws PLATFORM_UNSUPPORTED  an inspector is open, or SIGUSR1 could open one
 */
export function hardenProcess(): void {
  const watched =
    inspector.url() !== undefined ||
    process.execArgv.some((word) => word.startsWith("--inspect") || word.startsWith("--debug"));
  if (watched) {
    throw new BonafideError(
      CLI_ERRORS,
      "PLATFORM_UNSUPPORTED",
      "a process that holds keys does not start with an inspector",
    );
  }
  if (!process.execArgv.includes("--disable-sigusr1")) {
    throw new BonafideError(
      CLI_ERRORS,
      "PLATFORM_UNSUPPORTED",
      "a process that holds keys runs with --disable-sigusr1, or a signal opens its debugger",
      { details: { next: "start it through ./bonafide" } },
    );
  }
  for (const name of Object.keys(process.env)) {
    if (DANGEROUS.test(name)) delete process.env[name];
  }
  process.umask(0o077);
}
