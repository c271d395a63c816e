import { BonafideError } from "@bonafide/errors";
import {
  decodeBody,
  decodeLeaf,
  decodeObject,
  type ObjectKind,
  type ObjectOf,
  partBytes,
  KINDS,
} from "@bonafide/ledger";
import type { StoredLeaf } from "./ledger-store.ts";
import type { StoredObject } from "./read-stores.ts";
import { STORE_ERRORS } from "./store-errors.ts";

/**
 * The object that a row points to, read from its newest leaf. For stores: content exists once, in the log.
 *
 * @param stored  The row's leaf; undefined if the store has none at the row's n.
 * @throws STORE_CORRUPT  no leaf there, of another kind, a tombstone, erased, or no message
 */
export function readStoredObject<K extends ObjectKind>(
  kind: K,
  stored: StoredLeaf | undefined,
  firstN: number,
): StoredObject<ObjectOf<K>> {
  if (stored === undefined) throw corrupt(kind);
  const leaf = decodeLeaf(stored.leaf);
  const bytes = partBytes(decodeBody(stored.body).object);
  if (leaf.kind !== KINDS[kind] || leaf.tombstone || bytes === undefined) throw corrupt(kind);
  const object = decodeObject(kind, bytes, leaf);
  if (!isOfKind(object, kind)) throw corrupt(kind);
  return { object, epoch: leaf.epoch, n: leaf.n, firstN };
}

function isOfKind<K extends ObjectKind>(
  object: { readonly kind: ObjectKind },
  kind: K,
): object is ObjectOf<K> {
  return object.kind === kind;
}

function corrupt(kind: ObjectKind): BonafideError {
  return new BonafideError(
    STORE_ERRORS,
    "STORE_CORRUPT",
    `a row of kind ${KINDS[kind]} has no leaf that fits; run \`bonafide ledger verify\``,
  );
}
