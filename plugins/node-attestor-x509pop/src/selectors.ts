import { createHash } from "node:crypto";
import type { Selector } from "@bonafide/ledger";
import { type Certificate, commonNameOf } from "@bonafide/pki";
import { SAN_SELECTORS_MAX, SELECTOR_CHARACTERS_MAX } from "./limits.ts";

/** Name of the attestor and type of its selectors. */
export const X509POP = "x509pop";

/** Hex SHA-1 of a certificate: a name for it, as SPIRE has it, and no proof of anything. */
export function fingerprintOf({ der }: Certificate): string {
  return createHash("sha1").update(der).digest("hex");
}

/** The serial number as hex, whole octets. */
export function serialHexOf({ serial }: Certificate): string {
  const text = serial.toString(16);
  return text.length % 2 === 0 ? text : `0${text}`;
}

/**
 * The selectors of a proven chain: the leaf's common name and serial number, what its URI names of scheme `x509pop` say
 * for this trust domain, and the fingerprints of those that vouch for it.
 *
 * @param path  Leaf to anchor.
 */
export function selectorsOf(
  path: readonly Certificate[],
  trustDomain: string,
): readonly Selector[] {
  const [leaf, ...above] = path;
  if (leaf === undefined) return [];
  const name = commonNameOf(leaf.subject);
  const values = [
    ...(name === undefined || name === "" ? [] : [`subject:cn:${name}`]),
    ...above.map((certificate) => `ca:fingerprint:${fingerprintOf(certificate)}`),
    `serialnumber:${serialHexOf(leaf)}`,
    ...sanValues(leaf, trustDomain).map((value) => `san:${value}`),
  ];
  return [...new Set(values)]
    .filter((value) => value.length <= SELECTOR_CHARACTERS_MAX)
    .map((value) => ({ type: X509POP, value }));
}

/** `KEY:VALUE` of each name `x509pop://TRUST_DOMAIN/KEY:VALUE`. */
function sanValues({ uris }: Certificate, trustDomain: string): readonly string[] {
  const start = `x509pop://${trustDomain}/`;
  return uris
    .filter((uri) => uri.startsWith(start))
    .map((uri) => uri.slice(start.length))
    .filter((value) => /^[^:/]+:./.test(value))
    .slice(0, SAN_SELECTORS_MAX);
}
