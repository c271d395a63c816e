/** One block of a PEM text. */
export interface PemBlock {
  /** Such as `CERTIFICATE`. */
  readonly label: string;
  readonly der: Uint8Array;
}

/**
 * Reads every block of a PEM text (RFC 7468 §3), strictly: only blocks, blank lines and, between blocks, lines of
 * explanation; canonical base64; at most `PKI_LIMITS.pemCharacters`.
 *
 * @throws PEM_MALFORMED
 */
export function parsePem(text: string): readonly PemBlock[] {
  throw new Error(`not yet ${text.length}`);
}

/** Writes one block, 64 characters a line, newline at the end. */
export function formatPem(label: string, der: Uint8Array): string {
  throw new Error(`not yet ${label} ${der.length}`);
}
