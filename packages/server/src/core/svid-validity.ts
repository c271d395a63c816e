/** When a certificate begins and ends, epoch ms, whole seconds. */
export interface Validity {
  readonly notBefore: number;
  readonly notAfter: number;
}

/** How far a certificate's begin lies before its signing, so that slow clocks accept it at once, ms. */
export const BACKDATE_MS = 10_000;

/** Shortest remaining life worth signing for, ms. */
const USEFUL_MS = 1000;

/**
 * The validity of a leaf: backdated, and never beyond its issuer's end.
 *
 * @returns undefined when the issuer ends too soon for the leaf to be of any use: nothing expired is ever handed out.
 */
export function leafValidity(
  now: number,
  ttlMs: number,
  issuerNotAfter: number,
): Validity | undefined {
  const notAfter = Math.min(wholeSeconds(now + ttlMs), wholeSeconds(issuerNotAfter));
  if (notAfter - now < Math.min(USEFUL_MS, ttlMs)) return undefined;
  return { notBefore: wholeSeconds(now - BACKDATE_MS), notAfter };
}

/** The validity of a self-signed authority. */
export function authorityValidity(now: number, ttlMs: number): Validity {
  return { notBefore: wholeSeconds(now - BACKDATE_MS), notAfter: wholeSeconds(now + ttlMs) };
}

/** The lifetime an entry's SVIDs get, ms. @param ttlSeconds  0: the default. */
export function entryTtlMs(ttlSeconds: number, defaultMs: number): number {
  return ttlSeconds > 0 ? ttlSeconds * 1000 : defaultMs;
}

function wholeSeconds(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}
