/** An SVID of a node by what is kept of it. */
export interface SvidMark {
  /** Decimal; empty: none is known. */
  readonly serialNumber: string;
  /** Epoch ms. */
  readonly expiresAtMs: number;
  /** Epoch ms; undefined: not known, as of one that was used before this server started. */
  readonly beginsAtMs?: number | undefined;
}

/**
 * The newest SVID of a node, once one was used. It is the one that was issued last, or else the one that begins last:
 * the lifetime may have been made shorter since. Where a beginning is not known, the end stands for it.
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
  if (used.serialNumber === known.serialNumber) return used;
  return isLater(used, known) ? used : known;
}

/** Whether an SVID was followed by one that was used. */
export function isSuperseded(presented: SvidMark, newest: SvidMark | undefined): boolean {
  return (
    newest !== undefined &&
    newest.serialNumber !== "" &&
    newest.serialNumber !== presented.serialNumber &&
    isLater(newest, presented)
  );
}

/** Beginnings are whole seconds: where they are the same, the end decides. */
function isLater(one: SvidMark, other: SvidMark): boolean {
  const { beginsAtMs: begins } = one;
  const { beginsAtMs: otherBegins } = other;
  if (begins !== undefined && otherBegins !== undefined && begins !== otherBegins) {
    return begins > otherBegins;
  }
  return one.expiresAtMs > other.expiresAtMs;
}
