import { BonafideError } from "@bonafide/errors";
import type { DerWriter } from "../der/der-writer.ts";
import { encode } from "../der/der-writer.ts";
import { contextGroupTag, TAG } from "../der/tags.ts";
import { PKI_ERRORS } from "../errors.ts";
import { PKI_LIMITS } from "../limits.ts";
import { oidElement } from "../x509/algorithm.ts";
import { GENERAL_NAME_TAG, isUri } from "../x509/general-names.ts";
import { OID } from "../x509/oids.ts";

/** DER of the BOOLEAN that marks an extension critical. */
const CRITICAL = Uint8Array.of(TAG.boolean, 1, 0xff);
const SUBJECT_ALT_NAME = oidElement(OID.subjectAltName);

/** Builds the error of a template that cannot be written; the caller throws it. */
export function invalid(message: string, cause?: unknown): BonafideError {
  return new BonafideError(PKI_ERRORS, "TEMPLATE_INVALID", message, { cause });
}

/** DER of one extension. */
export function extension(
  oid: string,
  value: Uint8Array,
  options: { readonly critical?: boolean } = {},
): Uint8Array {
  const parts = options.critical === true ? [CRITICAL] : [];
  return encode(TAG.sequence, oidElement(oid), ...parts, encode(TAG.octetString, value));
}

/** Puts a subject alternative name extension in front: URIs, then DNS names, in the given order. */
export function writeAlternativeNames(
  writer: DerWriter,
  names: {
    readonly uris: readonly string[];
    readonly dnsNames: readonly string[];
    readonly critical: boolean;
  },
): void {
  const { uris, dnsNames } = names;
  if (uris.length + dnsNames.length > PKI_LIMITS.alternativeNames) throw invalid("too many names");
  const end = writer.mark();
  for (let i = dnsNames.length - 1; i >= 0; i--) {
    writer.ascii(GENERAL_NAME_TAG.dns, visibleAscii(dnsNames[i] ?? ""));
  }
  for (let i = uris.length - 1; i >= 0; i--) {
    const uri = visibleAscii(uris[i] ?? "");
    if (!isUri(uri)) throw invalid("not a URI");
    writer.ascii(GENERAL_NAME_TAG.uri, uri);
  }
  writer.wrap(TAG.sequence, end);
  writer.wrap(TAG.octetString, end);
  if (names.critical) writer.raw(CRITICAL);
  writer.raw(SUBJECT_ALT_NAME);
  writer.wrap(TAG.sequence, end);
}

function visibleAscii(name: string): string {
  if (name.length === 0 || name.length > PKI_LIMITS.uriCharacters)
    throw invalid("length of a name");
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (code < 0x21 || code > 0x7e) throw invalid("characters of a name");
  }
  return name;
}

/** DER of the value of an authority's basic constraints. */
export function authorityConstraints(pathLength: number | undefined): Uint8Array {
  const parts = [Uint8Array.of(TAG.boolean, 1, 0xff)];
  if (pathLength !== undefined) {
    if (!Number.isInteger(pathLength) || pathLength < 0 || pathLength > 127) {
      throw invalid("path length");
    }
    parts.push(Uint8Array.of(TAG.integer, 1, pathLength));
  }
  return encode(TAG.sequence, ...parts);
}

function subtrees(number: number, hosts: readonly string[] = []): Uint8Array[] {
  const list = hosts.map((host) => {
    const text = new Uint8Array(Buffer.from(visibleAscii(host), "latin1"));
    return encode(TAG.sequence, encode(GENERAL_NAME_TAG.uri, text));
  });
  return list.length > 0 ? [encode(contextGroupTag(number), ...list)] : [];
}

/** DER of the value of a name constraints extension for URI hosts. */
export function uriConstraintsValue(constraints: {
  readonly permitted?: readonly string[];
  readonly excluded?: readonly string[];
}): Uint8Array {
  const parts = [...subtrees(0, constraints.permitted), ...subtrees(1, constraints.excluded)];
  if (parts.length === 0) throw invalid("empty constraints");
  return encode(TAG.sequence, ...parts);
}
