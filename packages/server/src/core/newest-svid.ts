/** An SVID of a node by what is kept of it. */
export interface SvidMark {
  /** Decimal; empty: none is known. */
  readonly serialNumber: string;
  /** Epoch ms. */
  readonly expiresAtMs: number;
}

/**
 * The newest SVID of a node, once one was used. It is the one that was issued last, or else the one that ends last: the
 * lifetime may have been made shorter since.
 *
 * What was issued and never used does not count: its answer may have been lost, and the node have nothing but the one
 * before.
 *
 * @param issuedSerial  Of the last one that this server issued; undefined: none since it started, or it was used.
 */
export function newestSvid(
  known: SvidMark | undefined,
  used: SvidMark,
  issuedSerial: string | undefined,
): SvidMark {
  if (known === undefined || known.serialNumber === "") return used;
  if (used.serialNumber === issuedSerial) return used;
  return used.expiresAtMs > known.expiresAtMs ? used : known;
}

/** Whether an SVID was followed by one that was used. */
export function isSuperseded(presented: SvidMark, newest: SvidMark | undefined): boolean {
  return (
    newest !== undefined &&
    newest.serialNumber !== "" &&
    newest.serialNumber !== presented.serialNumber &&
    newest.expiresAtMs > presented.expiresAtMs
  );
}
