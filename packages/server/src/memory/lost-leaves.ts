import {
  type AnyObject,
  decodeBody,
  decodeLeaf,
  decodeMeta,
  decodeObject,
  isDenial,
  isObjectKind,
  kindName,
  type Leaf,
  leafHash,
  type Meta,
  naturalKeyOf,
  objectName,
  partBytes,
  type Settled,
  toHex,
} from "@bonafide/ledger";
import type { StoredLeaf } from "@bonafide/plugin-api";
import type { BatchBuilder } from "../lane/batch-builder.ts";
import type { Registry } from "../lane/registry.ts";
import type { LostLeaf, Mending } from "./core/plan-mending.ts";

const NO_META: Meta = {
  actor: undefined,
  cause: "",
  settles: [],
  requestId: new Uint8Array(),
  schema: 1,
};

/** A remembered leaf that the store does not hold, with all that is needed to write it again. */
export interface Lost extends LostLeaf {
  readonly stored: StoredLeaf;
  readonly leaf: Leaf;
  readonly object: AnyObject | undefined;
  readonly objectBytes: Uint8Array;
  readonly meta: Meta;
  /** Leaves that this one settles, itself included, as they are named in the log. */
  readonly named: readonly Settled[];
}

/**
 * Decodes lost leaves for `planMending`. Openings of epochs and the leaf that names the ledger are left out: they are
 * not mended but made anew.
 *
 * @param before  The registry at the last common leaf.
 */
export function readLost(stored: readonly StoredLeaf[], before: Registry): Lost[] {
  const newest = new Map<string, AnyObject | undefined>();
  const lost: Lost[] = [];
  for (const one of stored) {
    const leaf = decodeLeaf(one.leaf);
    const kind = kindName(leaf.kind);
    if (kind === "ledger" || kind === "epoch") continue;
    const body = decodeBody(one.body);
    const objectBytes = partBytes(body.object) ?? new Uint8Array();
    const metaBytes = partBytes(body.meta);
    const meta = metaBytes === undefined ? NO_META : decodeMeta(metaBytes);
    const readable = !leaf.tombstone && isObjectKind(kind) && "salted" in body.object;
    const object = readable ? decodeObject(kind, objectBytes, leaf) : undefined;
    const name = objectName(leaf.kind, leaf.key);
    const earlier = newest.has(name)
      ? newest.get(name)
      : before.slotByKey(leaf.kind, leaf.key)?.object;
    newest.set(name, object);
    const own: Settled = { epoch: leaf.epoch, n: leaf.n, leafHash: leafHash(one.leaf) };
    const stands = meta.settles.at(-1) ?? own;
    lost.push({
      stored: one,
      leaf,
      object,
      objectBytes,
      meta,
      name,
      id: toHex(stands.leafHash),
      denies: leaf.tombstone || (object !== undefined && isDenial(object, earlier)),
      settles: meta.settles.map((settled) => toHex(settled.leafHash)),
      named: [...meta.settles, own],
    });
  }
  return lost;
}

/** Ids that stored leaves are or name as settled. */
export function settledBy(stored: readonly StoredLeaf[]): Set<string> {
  const ids = new Set<string>();
  for (const one of stored) {
    ids.add(toHex(leafHash(one.leaf)));
    const bytes = partBytes(decodeBody(one.body).meta);
    if (bytes === undefined) continue;
    for (const settled of decodeMeta(bytes).settles) ids.add(toHex(settled.leafHash));
  }
  return ids;
}

/** Hashes that epochs among these leaves abandon. */
export function abandonedBy(stored: readonly StoredLeaf[]): Set<string> {
  const hashes = new Set<string>();
  for (const one of stored) {
    const leaf = decodeLeaf(one.leaf);
    const bytes = partBytes(decodeBody(one.body).object);
    if (kindName(leaf.kind) !== "epoch" || bytes === undefined) continue;
    const epoch = decodeObject("epoch", bytes, leaf);
    if (epoch.kind !== "epoch") continue;
    for (const branch of epoch.abandoned) {
      for (const hash of branch.leafHashes) hashes.add(toHex(hash));
    }
  }
  return hashes;
}

/** Writes a mending: the lost leaf again, naming all that it settles. */
export function addMending(
  builder: BatchBuilder,
  { leaf: lost, settles }: Mending<Lost>,
  all: readonly Lost[],
): void {
  const named = new Map<string, Settled>();
  for (const one of all) {
    if (one.name !== lost.name) continue;
    for (const settled of one.named) named.set(toHex(settled.leafHash), settled);
  }
  const wanted = new Set(settles);
  const own = toHex(leafHash(lost.stored.leaf));
  const marks = [...named].filter(([hash]) => wanted.has(hash) || hash === own);
  // The leaf that this one stands for comes last: that is its identity from now on.
  const last = named.get(lost.id);
  const meta: Meta = {
    ...lost.meta,
    settles: [
      ...marks.filter(([hash]) => hash !== lost.id).map(([, settled]) => settled),
      ...(last === undefined ? [] : [last]),
    ],
  };
  builder.addReturning({
    leaf: lost.leaf,
    naturalKey: lost.object === undefined ? undefined : naturalKeyOf(lost.object),
    object: lost.object,
    objectBytes: lost.objectBytes,
    meta,
  });
}

/** Where the newest leaf of an object stands, by its name. */
export function slotN(registry: Registry, name: string): number | undefined {
  const key = Uint8Array.from(name.slice(1), (char) => char.charCodeAt(0));
  return registry.slotByKey(name.charCodeAt(0), key)?.n;
}
