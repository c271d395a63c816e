import { latin1 } from "../der/bytes.ts";
import { DerReader } from "../der/der-reader.ts";
import { decodeOid } from "../der/oid.ts";
import { contextGroupTag, contextTag, TAG } from "../der/tags.ts";
import { PKI_LIMITS } from "../limits.ts";
import type { AlternativeName } from "./certificate.ts";
import { readName } from "./name.ts";

/** Tags of a GeneralName (RFC 5280 §4.2.1.6). */
export const GENERAL_NAME_TAG: { readonly dns: number; readonly uri: number } = {
  dns: contextTag(2),
  uri: contextTag(6),
} as const;

const KINDS: ReadonlyMap<number, AlternativeName["kind"]> = new Map([
  [contextGroupTag(0), "other"],
  [contextTag(1), "email"],
  [contextTag(2), "dns"],
  [contextGroupTag(4), "directory"],
  [contextTag(6), "uri"],
  [contextTag(7), "ip"],
  [contextTag(8), "registered-id"],
]);

const OCTET = "%[0-9A-Fa-f]{2}";
const PLAIN = "A-Za-z0-9._~!$&'()*+,;=\\-";
const USER = `(?:(?:[${PLAIN}:]|${OCTET})*@)?`;
const HOST = `(?:\\[[0-9A-Fa-f:.]+\\]|(?:[${PLAIN}]|${OCTET})*)`;
const REST = `(?:[${PLAIN}:@/?]|${OCTET})*`;
const URI = new RegExp(
  `^[A-Za-z][A-Za-z0-9+.-]*:(?://${USER}${HOST}(?::[0-9]*)?(?=[/?#]|$)|(?!//))${REST}(?:#${REST})?$`,
);

/** Whether text is a URI with a scheme (RFC 3986 §3): in a certificate a relative reference is none (RFC 5280). */
export function isUri(text: string): boolean {
  return URI.test(text);
}

/** Names as three lists: all of them as bytes, and the two kinds that are used as text. */
export interface GeneralNames {
  readonly alternativeNames: readonly AlternativeName[];
  readonly uris: readonly string[];
  readonly dnsNames: readonly string[];
}

/** Reads GeneralNames: at least one; texts hold only visible ASCII, so no NUL can cut one short. */
export function readGeneralNames(names: DerReader): GeneralNames {
  const alternativeNames: AlternativeName[] = [];
  const uris: string[] = [];
  const dnsNames: string[] = [];
  do {
    if (alternativeNames.length === PKI_LIMITS.alternativeNames) throw names.fail("too many names");
    const tag = names.peek();
    const kind = KINDS.get(tag);
    if (kind === undefined) throw names.fail("kind of name");
    const bytes = names.content(tag);
    if (kind === "uri" || kind === "dns" || kind === "email") {
      if (!isVisibleAscii(bytes)) throw names.fail("characters of a name");
      if (bytes.length > PKI_LIMITS.uriCharacters) throw names.fail("name too long");
      if (kind === "uri") {
        const uri = latin1(bytes);
        if (!isUri(uri)) throw names.fail("not a URI");
        uris.push(uri);
      }
      if (kind === "dns") dnsNames.push(latin1(bytes));
    } else checkShape(kind, new DerReader(bytes, names.code));
    alternativeNames.push({ kind, bytes });
  } while (names.more);
  return { alternativeNames, uris, dnsNames };
}

/** Names that nobody here uses must be what they say all the same: others look into them (ADR-0135). */
function checkShape(kind: "other" | "directory" | "ip" | "registered-id", name: DerReader): void {
  switch (kind) {
    case "ip":
      if (name.bytes.length !== 4 && name.bytes.length !== 16) throw name.fail("IP address");
      return;
    case "registered-id":
      decodeOid(name.bytes, name.code);
      return;
    case "directory":
      readName(name);
      break;
    case "other": {
      decodeOid(name.content(TAG.oid), name.code);
      const value = name.enter(contextGroupTag(0));
      value.content(value.peek());
      value.finish();
      break;
    }
    default:
      kind satisfies never;
  }
  name.finish();
}

/** Whether text is non-empty and every octet is 0x21..0x7E. */
export function isVisibleAscii(bytes: Uint8Array): boolean {
  return bytes.length > 0 && bytes.every((octet) => octet > 0x20 && octet < 0x7f);
}
