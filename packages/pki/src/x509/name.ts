import { isUtf8 } from "node:buffer";
import { BonafideError } from "@bonafide/errors";
import { latin1, toHex } from "../der/bytes.ts";
import { DerReader } from "../der/der-reader.ts";
import { encode } from "../der/der-writer.ts";
import { decodeOid } from "../der/oid.ts";
import { TAG } from "../der/tags.ts";
import { PKI_ERRORS } from "../errors.ts";
import { PKI_LIMITS } from "../limits.ts";
import { oidElement } from "./algorithm.ts";

const OIDS = {
  C: "2.5.4.6",
  O: "2.5.4.10",
  OU: "2.5.4.11",
  CN: "2.5.4.3",
  serialNumber: "2.5.4.5",
  x500UniqueIdentifier: "2.5.4.45",
} as const;
const TYPES: ReadonlyMap<string, string> = new Map(
  Object.entries(OIDS).map(([type, oid]) => [oid, type]),
);
const VALUE_CHARACTERS_MAX = 255;
const PRINTABLE = /^[A-Za-z0-9 '()+,\-./:=?]*$/;

/** One attribute of a distinguished name. */
export interface NameAttribute {
  readonly type: keyof typeof OIDS;
  /** 1..255 characters. */
  readonly value: string;
}

/** DER of the empty Name. */
export const EMPTY_NAME: Uint8Array = Uint8Array.of(TAG.sequence, 0);

/**
 * Writes a distinguished name, one attribute a set, in the given order.
 *
 * @param attributes  None for the empty subject.
 * @returns DER of the Name. Keep it: it is made once for many certificates.
 * @throws TEMPLATE_INVALID  an empty or overlong value
 * @spec RFC 5280 §4.1.2.4
 */
export function encodeName(attributes: readonly NameAttribute[]): Uint8Array {
  if (attributes.length > PKI_LIMITS.nameAttributes) {
    throw new BonafideError(PKI_ERRORS, "TEMPLATE_INVALID", "too many attributes of a name");
  }
  const sets = attributes.map(({ type, value }) => {
    if (value.length === 0 || value.length > VALUE_CHARACTERS_MAX || !value.isWellFormed()) {
      throw new BonafideError(PKI_ERRORS, "TEMPLATE_INVALID", `value of ${type}`);
    }
    // PrintableString wherever it fits, as Go writes it, so that names equal SPIRE's octet for octet.
    const tag = PRINTABLE.test(value) ? TAG.printableString : TAG.utf8String;
    const text = encode(tag, new Uint8Array(Buffer.from(value, "utf8")));
    return encode(TAG.set, encode(TAG.sequence, oidElement(OIDS[type]), text));
  });
  return encode(TAG.sequence, ...sets);
}

/** Reads a Name and returns the whole element; its values must be text of their kind, and are not interpreted. */
export function readName(parent: DerReader): Uint8Array {
  const start = parent.offset;
  const name = parent.enter(TAG.sequence);
  eachAttribute(name, (_oid, tag, value) => {
    if (TEXT_CHECKS.get(tag)?.(value) !== true) throw name.fail("value of a name");
  });
  return parent.bytes.subarray(start, parent.offset);
}

const isAll = (pattern: RegExp) => (value: Uint8Array) => pattern.test(latin1(value));
/** The kinds of text that X.520 allows in a name, with what each may hold (ADR-0135). */
const TEXT_CHECKS: ReadonlyMap<number, (value: Uint8Array) => boolean> = new Map([
  [TAG.utf8String, isUtf8],
  // `*` and `&` are not in the standard's alphabet; authorities that people run write them all the same.
  [TAG.printableString, isAll(/^[A-Za-z0-9 '()+,\-./:=?*&]*$/)],
  // oxlint-disable-next-line no-control-regex -- IA5 is all of ASCII
  [TAG.ia5String, isAll(/^[\u{0}-\u{7f}]*$/u)],
  [TAG.numericString, isAll(/^[0-9 ]*$/)],
  [TAG.teletexString, () => true],
  [TAG.bmpString, (value) => value.length % 2 === 0],
]);

/**
 * Renders a distinguished name for people, such as `C=US, O=SPIRE`. Not for comparing: compare the DER.
 *
 * @throws CERTIFICATE_MALFORMED  not a Name
 */
export function describeName(name: Uint8Array): string {
  const code = "CERTIFICATE_MALFORMED";
  const whole = new DerReader(name, code);
  const parts: string[] = [];
  eachAttribute(whole.enter(TAG.sequence), (oid, tag, value) => {
    parts.push(`${TYPES.get(oid) ?? oid}=${describeValue(tag, value)}`);
  });
  whole.finish();
  return parts.join(", ");
}

/**
 * The common name of a distinguished name, as it stands there; the last one where there are several.
 *
 * @returns undefined: it has none, or in a form that is no plain text.
 * @throws CERTIFICATE_MALFORMED  not a Name
 */
export function commonNameOf(name: Uint8Array): string | undefined {
  const whole = new DerReader(name, "CERTIFICATE_MALFORMED");
  let found: string | undefined;
  eachAttribute(whole.enter(TAG.sequence), (oid, tag, value) => {
    if (oid === OIDS.CN) found = isText(tag) ? textOf(tag, value) : undefined;
  });
  whole.finish();
  return found;
}

function isText(tag: number): boolean {
  return tag === TAG.utf8String || tag === TAG.printableString || tag === TAG.ia5String;
}

function textOf(tag: number, value: Uint8Array): string {
  return tag === TAG.utf8String ? Buffer.from(value).toString("utf8") : latin1(value);
}

function describeValue(tag: number, value: Uint8Array): string {
  if (!isText(tag)) return `#${toHex(value)}`;
  const text = textOf(tag, value);
  // Control characters could rewrite an operator's terminal; separators could fake an attribute.
  return text.replaceAll(/[\p{C}\p{Zl}\p{Zp},+="\\]/gu, (c) => {
    return `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`;
  });
}

function eachAttribute(
  name: DerReader,
  visit: (oid: string, tag: number, value: Uint8Array) => void,
): void {
  let count = 0;
  while (name.more) {
    const set = name.enter(TAG.set);
    do {
      if (++count > PKI_LIMITS.nameAttributes) throw name.fail("too many attributes");
      const attribute = set.enter(TAG.sequence);
      const oid = decodeOid(attribute.content(TAG.oid), name.code);
      const tag = attribute.peek();
      visit(oid, tag, attribute.content(tag));
      attribute.finish();
    } while (set.more);
  }
}
