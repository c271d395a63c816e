import { latin1 } from "../der/bytes.ts";
import type { DerReader } from "../der/der-reader.ts";
import { contextGroupTag, contextTag } from "../der/tags.ts";
import { PKI_LIMITS } from "../limits.ts";
import type { AlternativeName } from "./certificate.ts";

/** Tags of a GeneralName (RFC 5280 §4.2.1.6). */
export const GENERAL_NAME_TAG: { readonly dns: number; readonly uri: number } = {
  dns: contextTag(2),
  uri: contextTag(6),
} as const;

const KINDS: ReadonlyMap<number, AlternativeName["kind"]> = new Map([
  [contextGroupTag(0), "other"],
  [contextTag(1), "email"],
  [contextTag(2), "dns"],
  [contextGroupTag(3), "other"],
  [contextGroupTag(4), "directory"],
  [contextGroupTag(5), "other"],
  [contextTag(6), "uri"],
  [contextTag(7), "ip"],
  [contextTag(8), "registered-id"],
]);

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
      if (kind === "uri") uris.push(latin1(bytes));
      if (kind === "dns") dnsNames.push(latin1(bytes));
    } else if (kind === "ip" && bytes.length !== 4 && bytes.length !== 16) {
      throw names.fail("IP address");
    }
    alternativeNames.push({ kind, bytes });
  } while (names.more);
  return { alternativeNames, uris, dnsNames };
}

/** Whether text is non-empty and every octet is 0x21..0x7E. */
export function isVisibleAscii(bytes: Uint8Array): boolean {
  return bytes.length > 0 && bytes.every((octet) => octet > 0x20 && octet < 0x7f);
}
