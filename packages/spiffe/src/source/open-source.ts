import { BonafideError } from "@bonafide/errors";
import { SPIFFE_ERRORS } from "../errors.ts";
import { ENDPOINT_VARIABLE } from "../workload-api/endpoint-address.ts";
import { type FileSourceOptions, openFileSource } from "./file-source.ts";
import { openX509Source, type X509SourceOptions } from "./open-x509-source.ts";
import type { X509Source } from "./x509-source.ts";

/** Options of {@link openSource}: of both kinds, where they apply. */
export interface SourceOptions extends X509SourceOptions, Omit<FileSourceOptions, "files"> {
  /** A folder with `tls.crt`, `tls.key` and `ca.crt`, or the three paths; not together with `address`. */
  readonly files?: FileSourceOptions["files"];
}

/**
 * Opens the source that the configuration names: `address` or `files` if given, else the Workload API of
 * `SPIFFE_ENDPOINT_SOCKET`. Never a second one because the first does not answer.
 *
 * @throws ENDPOINT_ADDRESS_INVALID  both `address` and `files` are given
 * @throws ENDPOINT_ADDRESS_MISSING  nothing is given and the variable is not set
 * @throws as `openX509Source` and `openFileSource`
 */
export function openSource(
  options: SourceOptions = {},
  opening: { readonly signal?: AbortSignal } = {},
): Promise<X509Source> {
  const { files, address } = options;
  if (files === undefined) return openX509Source(options, opening);
  if (address === undefined) return openFileSource({ ...options, files }, opening);
  throw new BonafideError(
    SPIFFE_ERRORS,
    "ENDPOINT_ADDRESS_INVALID",
    `give either files or an address (or ${ENDPOINT_VARIABLE}), not both`,
    { details: { reason: "files-and-address" } },
  );
}
