import { BonafideError } from "@bonafide/errors";
import { PKI_ERRORS } from "../errors.ts";
import { latin1 } from "./bytes.ts";
import { type MalformedCode, malformed } from "./der-reader.ts";

/** Octets of one object identifier, at most; UUID arcs of ITU-T X.667 take 19. */
const OCTETS_MAX = 64;
const CACHE_MAX = 512;
const known = new Map<string, string>();

/**
 * Content octets of an OBJECT IDENTIFIER as dotted text.
 *
 * @throws `code`  empty, cut short, not minimal or longer than 64 octets
 */
export function decodeOid(content: Uint8Array, code: MalformedCode): string {
  const key = latin1(content);
  const cached = known.get(key);
  if (cached !== undefined) return cached;
  if (content.length === 0 || content.length > OCTETS_MAX) throw malformed(code, "OID length");
  const arcs: bigint[] = [];
  let arc = 0n;
  let fresh = true;
  for (const octet of content) {
    if (fresh && octet === 0x80) throw malformed(code, "OID arc not minimal");
    arc = (arc << 7n) | BigInt(octet & 0x7f);
    fresh = octet < 0x80;
    if (fresh) {
      arcs.push(arc);
      arc = 0n;
    }
  }
  const [first] = arcs;
  if (!fresh || first === undefined) throw malformed(code, "OID cut short");
  const root = first < 40n ? 0n : first < 80n ? 1n : 2n;
  const text = [root, first - root * 40n, ...arcs.slice(1)].join(".");
  // Bounded, and never evicted: what fills it are the dozen OIDs that every certificate has.
  if (known.size < CACHE_MAX) known.set(key, text);
  return text;
}

/**
 * Content octets of an OBJECT IDENTIFIER.
 *
 * @param text  Dotted, arcs of any size.
 * @throws TEMPLATE_INVALID
 */
export function encodeOid(text: string): Uint8Array {
  const invalid = new BonafideError(PKI_ERRORS, "TEMPLATE_INVALID", "not an object identifier");
  if (text.length > 128 || !/^[0-2](\.(0|[1-9][0-9]*))+$/.test(text)) throw invalid;
  const [root = 0n, second = 0n, ...rest] = text.split(".").map(BigInt);
  if (root < 2n && second > 39n) throw invalid;
  const octets: number[] = [];
  for (const arc of [root * 40n + second, ...rest]) {
    const group = [Number(arc & 0x7fn)];
    for (let high = arc >> 7n; high > 0n; high >>= 7n) group.unshift(Number(high & 0x7fn) | 0x80);
    octets.push(...group);
  }
  if (octets.length > OCTETS_MAX) throw invalid;
  return Uint8Array.from(octets);
}
