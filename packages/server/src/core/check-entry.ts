import { BonafideError } from "@bonafide/errors";
import { type Selector, selectorText } from "@bonafide/ledger";
import {
  isReserved,
  parseSpiffeId,
  parseTrustDomain,
  pathOf,
  type SpiffeId,
  type TrustDomain,
  trustDomainOf,
} from "@bonafide/spiffe";
import { SERVER_ERRORS } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { dnsNameFault } from "./dns-name.ts";
import type { CheckedEntry, EntryInput } from "./entry-fields.ts";

/** Where a SPIFFE ID may lie. */
export type IdRule =
  /** Any member of the own trust domain that has a path. */
  | "member"
  /** A member that is not under `/spire`. */
  | "workload"
  /** A member below `/spire/agent/`. */
  | "agent";

/**
 * Reads an ID as the wire has it: the domain's name (or its ID), and a path with its leading slash.
 *
 * @throws REQUEST_INVALID  naming `field`
 * @throws ID_RESERVED  it lies under `/spire`, where a workload's ID is wanted
 */
export function checkId(
  input: { readonly trustDomain: string; readonly path: string } | undefined,
  own: TrustDomain,
  rule: IdRule,
  field: string,
): SpiffeId {
  if (input === undefined) throw invalid(`${field} is missing`);
  const id = tryTo(`${field} is not a SPIFFE ID`, () => {
    const trustDomain = parseTrustDomain(input.trustDomain);
    return parseSpiffeId(`spiffe://${trustDomain}${input.path}`);
  });
  if (input.path !== "" && !input.path.startsWith("/")) {
    throw invalid(`${field} has a path without its leading slash`);
  }
  if (trustDomainOf(id) !== own) throw invalid(`${field} is not in trust domain ${own}`);
  if (pathOf(id) === "") throw invalid(`${field} has no path`);
  if (rule === "workload" && isReserved(id)) {
    throw new BonafideError(
      SERVER_ERRORS,
      "ID_RESERVED",
      `${field} lies under /spire, which belongs to servers and agents`,
    );
  }
  if (rule === "agent" && !pathOf(id).startsWith("/spire/agent/")) {
    throw invalid(`${field} is not an agent's: it does not lie below /spire/agent/`);
  }
  return id;
}

/**
 * Checks selectors and leaves each once, in the given order.
 *
 * @throws REQUEST_INVALID  none, too many, an empty part, or a type with a colon
 */
export function checkSelectors(selectors: readonly Selector[]): readonly Selector[] {
  if (selectors.length === 0) throw invalid("at least one selector is needed");
  if (selectors.length > LIMITS.selectorsPerEntry) throw invalid("too many selectors");
  const seen = new Map<string, Selector>();
  for (const { type, value } of selectors) {
    if (type === "") throw invalid("a selector has no type");
    if (type.includes(":")) throw invalid("a selector's type holds a colon");
    if (value === "") throw invalid("a selector has no value");
    if (type.length > LIMITS.selectorTypeBytes || value.length > LIMITS.selectorValueBytes) {
      throw invalid("a selector is too long");
    }
    seen.set(selectorText({ type, value }), { type, value });
  }
  return [...seen.values()];
}

/**
 * Checks everything that a caller may write into an entry.
 *
 * @throws REQUEST_INVALID  the first rule broken
 */
export function checkEntry(input: EntryInput, own: TrustDomain): CheckedEntry {
  const parentId = checkId(input.parentId, own, "member", "parent_id");
  const spiffeId = checkId(input.spiffeId, own, "workload", "spiffe_id");
  const selectors = checkSelectors(input.selectors);
  checkEntryId(input.id);
  checkSeconds(input.x509SvidTtlSeconds, "x509_svid_ttl");
  checkSeconds(input.jwtSvidTtlSeconds, "jwt_svid_ttl");
  checkSeconds(input.expiresAtSeconds, "expires_at");
  if (utf8Length(input.hint) > LIMITS.hintBytes)
    throw invalid("the hint is longer than 1024 bytes");
  if (input.storeSvid) checkStored(input, selectors);
  return {
    ...input,
    parentId,
    spiffeId,
    selectors,
    federatesWith: checkTrustDomains(input.federatesWith, own),
    dnsNames: checkDnsNames(input.dnsNames),
    owner: checkOwner(input.owner),
    labels: checkLabels(input.labels),
  };
}

/** @throws REQUEST_INVALID  longer than 255 characters, or outside `[A-Za-z0-9._-]`; empty is allowed */
export function checkEntryId(id: string): void {
  if (id.length > LIMITS.entryIdChars) throw invalid("the entry id is longer than 255 characters");
  if (!/^[A-Za-z0-9._-]*$/.test(id)) throw invalid("the entry id holds a character it may not");
}

function checkStored(input: EntryInput, selectors: readonly Selector[]): void {
  if (new Set(selectors.map((selector) => selector.type)).size > 1) {
    throw invalid("an entry with store_svid has selectors of one type only");
  }
  if (input.additionalAttributes?.disableX509SvidPrefetch === true) {
    throw invalid("store_svid does not go with disable_x509_svid_prefetch");
  }
}

function checkSeconds(seconds: number, field: string): void {
  if (!Number.isSafeInteger(seconds) || seconds < 0) throw invalid(`${field} is negative`);
}

function checkTrustDomains(names: readonly string[], own: TrustDomain): readonly TrustDomain[] {
  if (names.length > LIMITS.federatesWith) throw invalid("federates_with holds too many names");
  const found = names.map((name) =>
    tryTo("federates_with holds something that is not a trust domain", () =>
      parseTrustDomain(name),
    ),
  );
  if (found.includes(own)) throw invalid("federates_with names the own trust domain");
  return [...new Set(found)];
}

function checkDnsNames(names: readonly string[]): readonly string[] {
  if (names.length > LIMITS.dnsNames) throw invalid("dns_names holds too many names");
  for (const name of names) {
    const fault = dnsNameFault(name);
    if (fault !== undefined) throw invalid(`dns_names holds a name that is not one: ${fault}`);
  }
  return [...new Set(names)];
}

function checkOwner(owner: string): string {
  if (utf8Length(owner) > LIMITS.ownerBytes) throw invalid("the owner is longer than 255 bytes");
  return owner;
}

function checkLabels(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const all = Object.entries(labels);
  if (all.length > LIMITS.labels) throw invalid("too many labels");
  for (const [name, value] of all) {
    if (!/^[A-Za-z0-9][A-Za-z0-9._/-]*$/.test(name) || name.length > LIMITS.labelBytes) {
      throw invalid("a label's name holds a character it may not, or is too long");
    }
    if (utf8Length(value) > LIMITS.labelBytes) throw invalid("a label is longer than 255 bytes");
  }
  return labels;
}

/** Bytes of a text in UTF-8. */
export function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x1_0000 ? 3 : 4;
  }
  return bytes;
}

function tryTo<T>(message: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new BonafideError(SERVER_ERRORS, "REQUEST_INVALID", message, { cause });
  }
}

function invalid(message: string): BonafideError {
  return new BonafideError(SERVER_ERRORS, "REQUEST_INVALID", message);
}
