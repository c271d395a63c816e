import { BonafideError } from "@bonafide/errors";
import type { EntryObject } from "@bonafide/ledger";
import { SERVER_ERRORS } from "../errors.ts";
import type { Change, Decide, Known, RegistryView } from "../lane/registry-view.ts";
import { type Caller, type Grant, mayAdminister } from "./administration.ts";
import { isReservedEntry } from "./reserved.ts";
import { selectorSetKey } from "./selector-set-key.ts";

/** Who wants to write, and what they hold. */
export interface Writer {
  readonly caller: Caller;
  readonly grants: readonly Grant[];
}

/**
 * Creates an entry.
 *
 * @returns A decision that throws ENTRY_EXISTS (the same ID, parent and selectors, or the same id) or ENTRY_RESERVED.
 */
export function proposeEntry(entry: EntryObject, writer: Writer): Decide {
  return (view) => {
    if (view.entryLike(entry) !== undefined) throw exists("an entry of this kind exists already");
    if (view.find("entry", entry.id) !== undefined) {
      throw exists("another entry has this id already");
    }
    assertBundles(view, entry);
    assertMayWrite(view, writer, entry);
    return [{ put: entry }];
  };
}

/**
 * Changes an entry. Writes nothing if nothing would change: its revision stays, and no agent signs anew for it.
 *
 * @param change  From the stored entry to the wanted one; may throw.
 * @returns A decision that throws ENTRY_NOT_FOUND, ENTRY_EXISTS or ENTRY_RESERVED.
 */
export function proposeEntryChange(
  id: string,
  change: (stored: EntryObject) => EntryObject,
  writer: Writer,
): Decide {
  return (view) => {
    const stored = view.find("entry", id);
    if (stored === undefined) throw notFound();
    const wanted = change(stored.object);
    const alike = view.entryLike(wanted);
    if (alike !== undefined && alike.object.id !== id) {
      throw exists("an entry of this kind exists already");
    }
    assertBundles(view, wanted);
    assertMayWrite(view, writer, stored.object);
    assertMayWrite(view, writer, wanted);
    return isSameEntry(stored.object, wanted) ? [] : [{ put: wanted }];
  };
}

/** Deletes an entry. @returns A decision that throws ENTRY_NOT_FOUND or ENTRY_RESERVED. */
export function proposeEntryRemoval(id: string, writer: Writer): Decide {
  return (view) => {
    const stored = view.find("entry", id);
    if (stored === undefined) throw notFound();
    assertMayWrite(view, writer, stored.object);
    return [removal(stored)];
  };
}

/** The change that removes an entry. */
export function removal(entry: Known<EntryObject>): Change {
  return { remove: { kind: "entry", naturalKey: entry.object.id } };
}

function assertMayWrite(view: RegistryView, writer: Writer, entry: EntryObject): void {
  const may = (isReserved: boolean): boolean =>
    mayAdminister(writer.grants, writer.caller, "write-entry", { isReserved });
  // Whoever may write everything needs no look below.
  if (may(true)) return;
  const isReserved = isReservedEntry(view, writer.grants, entry);
  if (may(isReserved)) return;
  throw new BonafideError(
    SERVER_ERRORS,
    isReserved ? "ENTRY_RESERVED" : "ADMIN_REQUIRED",
    isReserved
      ? "this SPIFFE ID, or one below it, holds a grant or a flag: only a full administrator writes entries with it"
      : "the caller may not write entries",
  );
}

/** Other domains' bundles must be there first, so that a misspelt name is an error and not a silence. */
function assertBundles(view: RegistryView, entry: EntryObject): void {
  for (const trustDomain of entry.federatesWith) {
    if (view.find("bundle", trustDomain) === undefined) {
      throw new BonafideError(
        SERVER_ERRORS,
        "ENTRY_INVALID",
        `federates_with names ${trustDomain}, whose bundle is not here`,
      );
    }
  }
}

function isSameEntry(a: EntryObject, b: EntryObject): boolean {
  return entryText(a) === entryText(b);
}

function entryText(entry: EntryObject): string {
  const { selectors, federatesWith, dnsNames, labels, additionalAttributes: more, ...rest } = entry;
  return JSON.stringify([
    Object.entries(rest).toSorted(([a], [b]) => (a < b ? -1 : 1)),
    selectorSetKey(selectors),
    federatesWith.toSorted(),
    dnsNames,
    Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)),
    more === undefined ? [] : [more.disableX509SvidPrefetch, more.jwtSvidIncludeJti],
  ]);
}

function exists(message: string): BonafideError {
  return new BonafideError(SERVER_ERRORS, "ENTRY_EXISTS", message);
}

function notFound(): BonafideError {
  return new BonafideError(SERVER_ERRORS, "ENTRY_NOT_FOUND", "no such entry");
}
