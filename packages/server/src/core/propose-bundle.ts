import { BonafideError } from "@bonafide/errors";
import { type BundleObject, equalBytes } from "@bonafide/ledger";
import { SERVER_ERRORS } from "../errors.ts";
import type { Change, Decide } from "../lane/registry-view.ts";

/** What becomes of the entries that federate with a trust domain whose bundle is deleted. */
export type BundleRemovalMode =
  /** They keep the bundle from being deleted. */
  | "restrict"
  /** They are deleted too. */
  | "delete"
  /** They no longer federate with it. */
  | "dissociate";

/** Entries that one step of a removal changes; with the bundle they are one proposal. */
const ENTRIES_PER_STEP = 250;

/** Keeps another trust domain's bundle that was not there. @returns A decision that throws BUNDLE_EXISTS. */
export function proposeNewBundle(bundle: BundleObject): Decide {
  return (view) => {
    if (view.find("bundle", bundle.trustDomain) !== undefined) {
      throw new BonafideError(
        SERVER_ERRORS,
        "BUNDLE_EXISTS",
        `a bundle of ${bundle.trustDomain} is here already`,
      );
    }
    return [{ put: bundle }];
  };
}

/** Keeps another trust domain's bundle, in place of the one that may be there. Writes nothing if nothing changes. */
export function proposeBundle(bundle: BundleObject): Decide {
  return (view) => {
    const stored = view.find("bundle", bundle.trustDomain)?.object;
    return stored !== undefined && isSameBundle(stored, bundle) ? [] : [{ put: bundle }];
  };
}

/**
 * Changes another trust domain's bundle.
 *
 * @param change  From the stored bundle to the wanted one; may throw.
 * @returns A decision that throws BUNDLE_NOT_FOUND.
 */
export function proposeBundleChange(
  trustDomain: string,
  change: (stored: BundleObject) => BundleObject,
): Decide {
  return (view) => {
    const stored = view.find("bundle", trustDomain)?.object;
    if (stored === undefined) throw noBundle(trustDomain);
    return proposeBundle(change(stored))(view);
  };
}

/**
 * Deletes another trust domain's bundle, and deals with the entries that federate with it. With more entries than fit
 * into one proposal it changes a first part of them only, and is to be proposed again: the bundle goes last, so that
 * what is interrupted can be repeated.
 *
 * @returns A decision that throws BUNDLE_NOT_FOUND or BUNDLE_IN_USE.
 */
export function proposeBundleRemoval(trustDomain: string, mode: BundleRemovalMode): Decide {
  return (view) => {
    if (view.find("bundle", trustDomain) === undefined) throw noBundle(trustDomain);
    const changes: Change[] = [];
    for (const { object: entry } of view.entriesFederatingWith(trustDomain)) {
      if (mode === "restrict") {
        throw new BonafideError(
          SERVER_ERRORS,
          "BUNDLE_IN_USE",
          `entries federate with ${trustDomain}, such as ${entry.id}`,
        );
      }
      if (changes.length === ENTRIES_PER_STEP) return changes;
      if (mode === "delete") changes.push({ remove: { kind: "entry", naturalKey: entry.id } });
      else {
        const federatesWith = entry.federatesWith.filter((name) => name !== trustDomain);
        changes.push({ put: { ...entry, federatesWith } });
      }
    }
    return [...changes, { remove: { kind: "bundle", naturalKey: trustDomain } }];
  };
}

/** Whether two bundles say the same; where they came from counts for nothing. */
export function isSameBundle(a: BundleObject, b: BundleObject): boolean {
  return a.trustDomain === b.trustDomain && equalBytes(a.jwks, b.jwks);
}

function noBundle(trustDomain: string): BonafideError {
  return new BonafideError(
    SERVER_ERRORS,
    "BUNDLE_NOT_FOUND",
    `the bundle of ${trustDomain} is not here`,
  );
}
