import { latin1 } from "../der/bytes.ts";
import { DerReader, type MalformedCode } from "../der/der-reader.ts";
import { decodeOid } from "../der/oid.ts";
import { contextGroupTag, contextTag, TAG } from "../der/tags.ts";
import { PKI_LIMITS } from "../limits.ts";
import type { Certificate, Extension, UriConstraints } from "./certificate.ts";
import { type GeneralNames, GENERAL_NAME_TAG, readGeneralNames } from "./general-names.ts";
import { OID } from "./oids.ts";

/** The part of a certificate that its extensions say. */
export type ExtensionFacts = Pick<
  Certificate,
  | "isAuthority"
  | "pathLength"
  | "keyUsage"
  | "extendedKeyUsage"
  | "subjectKeyId"
  | "authorityKeyId"
  | "uriConstraints"
  | "criticalUnknown"
  | "extensions"
> &
  GeneralNames;

const NO_NAMES: GeneralNames = { alternativeNames: [], uris: [], dnsNames: [] };

/** Reads a SEQUENCE OF Extension inside `wrapper`, each at most once. @throws `code` */
export function readExtensionList(
  wrapper: DerReader,
  code: MalformedCode,
): ReadonlyMap<string, Extension> {
  const list = wrapper.enter(TAG.sequence);
  wrapper.finish();
  const extensions = new Map<string, Extension>();
  do {
    if (extensions.size === PKI_LIMITS.extensions) throw list.fail("too many extensions");
    const reader = list.enter(TAG.sequence);
    const oid = decodeOid(reader.content(TAG.oid), code);
    const critical = reader.peek() === TAG.boolean && reader.true();
    const value = reader.content(TAG.octetString);
    reader.finish();
    if (extensions.has(oid)) throw list.fail("extension twice");
    extensions.set(oid, { critical, value });
  } while (list.more);
  return extensions;
}

/** Reads and interprets the extensions of a certificate. @throws `code` */
export function readExtensions(
  wrapper: DerReader | undefined,
  code: MalformedCode,
): ExtensionFacts {
  const extensions =
    wrapper === undefined ? new Map<string, Extension>() : readExtensionList(wrapper, code);
  let names = NO_NAMES;
  let isAuthority = false;
  let pathLength: number | undefined;
  let keyUsage: number | undefined;
  let extendedKeyUsage: string[] | undefined;
  let subjectKeyId: Uint8Array | undefined;
  let authorityKeyId: Uint8Array | undefined;
  let uriConstraints: UriConstraints | undefined;
  let criticalUnknown: string | undefined;
  for (const [oid, { critical, value }] of extensions) {
    const whole = new DerReader(value, code);
    switch (oid) {
      case OID.subjectAltName:
        names = readGeneralNames(whole.enter(TAG.sequence));
        break;
      case OID.basicConstraints: {
        const constraints = whole.enter(TAG.sequence);
        if (constraints.peek() === TAG.boolean) isAuthority = constraints.true();
        if (constraints.more) pathLength = constraints.smallUnsigned();
        constraints.finish();
        if (pathLength !== undefined && !isAuthority) throw whole.fail("path length of a leaf");
        break;
      }
      case OID.keyUsage:
        keyUsage = whole.namedBits();
        if (keyUsage === 0) throw whole.fail("key usage without a use");
        break;
      case OID.extendedKeyUsage: {
        const usages = whole.enter(TAG.sequence);
        extendedKeyUsage = [];
        do extendedKeyUsage.push(decodeOid(usages.content(TAG.oid), code));
        while (usages.more);
        break;
      }
      case OID.subjectKeyId:
        subjectKeyId = whole.content(TAG.octetString);
        break;
      case OID.authorityKeyId:
        authorityKeyId = readAuthorityKeyId(whole.enter(TAG.sequence));
        break;
      case OID.nameConstraints: {
        const read = readUriConstraints(whole.enter(TAG.sequence));
        uriConstraints = read.constraints;
        // Constraints on kinds of names that are not evaluated: nobody below such an authority is believed.
        if (read.other) criticalUnknown ??= oid;
        break;
      }
      default:
        if (critical) criticalUnknown ??= oid;
        continue;
    }
    whole.finish();
  }
  return {
    ...names,
    isAuthority,
    pathLength,
    keyUsage,
    extendedKeyUsage,
    subjectKeyId,
    authorityKeyId,
    uriConstraints,
    criticalUnknown,
    extensions,
  };
}

function readAuthorityKeyId(reader: DerReader): Uint8Array | undefined {
  const keyId = reader.peek() === contextTag(0) ? reader.content(contextTag(0)) : undefined;
  // Issuer and serial number come together or not at all (RFC 5280 §4.2.1.1). The key is what we look for.
  if (reader.peek() === contextGroupTag(1)) {
    reader.content(contextGroupTag(1));
    reader.content(contextTag(2));
  }
  reader.finish();
  return keyId;
}

/** A host, or a leading dot and the domain that hosts must lie under; what else is written restricts nothing we know. */
const HOST = /^\.?[a-z0-9_-]+(\.[a-z0-9_-]+)*$/;

function readUriConstraints(reader: DerReader): {
  readonly constraints: UriConstraints;
  readonly other: boolean;
} {
  const lists: { permitted?: string[]; excluded?: string[] } = {};
  let other = false;
  let count = 0;
  for (const side of ["permitted", "excluded"] as const) {
    const tag = contextGroupTag(side === "permitted" ? 0 : 1);
    if (reader.peek() !== tag) continue;
    const subtrees = reader.enter(tag);
    do {
      if (++count > PKI_LIMITS.alternativeNames) throw reader.fail("too many constraints");
      const subtree = subtrees.enter(TAG.sequence);
      const kind = subtree.peek();
      const host = latin1(subtree.content(kind)).toLowerCase();
      subtree.finish();
      if (kind === GENERAL_NAME_TAG.uri && HOST.test(host)) (lists[side] ??= []).push(host);
      else other = true;
    } while (subtrees.more);
  }
  if (count === 0) throw reader.fail("no constraint");
  reader.finish();
  return {
    constraints: { permitted: lists.permitted, excluded: lists.excluded ?? [] },
    other,
  };
}
