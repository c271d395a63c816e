import type { ErrorTable } from "@bonafide/errors";

/** Error codes of attestation, beside those of `@bonafide/unix-peer`; each carries `details.cause` for `why`. */
export const ATTESTATION_ERRORS = {
  ATTESTATION_UNSTABLE: { status: "permission_denied", retry: true },
  ATTESTATION_BUSY: { status: "resource_exhausted", retry: true },
} as const;
ATTESTATION_ERRORS satisfies ErrorTable;
