import {
  type AnyObject,
  columnsOf,
  commit,
  CompactRange,
  encodeBody,
  encodeLeaf,
  encodeMeta,
  encodeObject,
  type Incarnation,
  isStoredLevel,
  type Leaf,
  leafHash,
  naturalKeyOf,
  objectKey,
  objectName,
  type ObjectKind,
  type ProjectionRow,
  saltPart,
  KINDS,
} from "@bonafide/ledger";
import type {
  AppendBatch,
  Head,
  ObjectRef,
  StoredLeaf,
  StoredNode,
} from "../store/ledger-store.ts";

/** Makes right batches for tests of stores, one after the other, without a server. */
export class LeafWriter {
  #head: Head;
  #range = new CompactRange();
  readonly #newest = new Map<string, { n: number; firstN: number }>();

  /** @param head  Of a store that was just made. */
  constructor(head: Head) {
    this.#head = head;
  }

  /** The state after the newest batch. */
  get head(): Head {
    return this.#head;
  }

  /** The pseudonym of an object here. */
  ref(kind: ObjectKind, naturalKey: string): ObjectRef {
    const kindNumber = KINDS[kind];
    return { kindNumber, key: objectKey(this.#head.keySecret, kindNumber, naturalKey) };
  }

  /**
   * A batch of after-images and removals on top of the one before it.
   *
   * @param opens  Opens an epoch.
   */
  batch(
    changes: readonly (AnyObject | readonly [kind: ObjectKind, naturalKey: string])[],
    opens?: { readonly epoch: number; readonly openedIn: Incarnation },
  ): { readonly expected: Head; readonly batch: AppendBatch } {
    const expected = this.#head;
    const leaves: StoredLeaf[] = [];
    const nodes: StoredNode[] = [];
    const put = new Map<string, ProjectionRow>();
    const removed = new Map<string, ObjectRef>();
    const epoch = opens?.epoch ?? expected.epoch;
    for (const change of changes) {
      const object = "kind" in change ? change : undefined;
      const [kind, naturalKey] = "kind" in change ? [change.kind, naturalKeyOf(change)] : change;
      const ref = this.ref(kind, naturalKey);
      const name = objectName(ref.kindNumber, ref.key);
      const before = this.#newest.get(name);
      const n = expected.n + leaves.length + 1;
      const firstN = object === undefined ? 0 : before?.firstN || n;
      this.#newest.set(name, { n, firstN });
      const meta = { actor: undefined, cause: "test", settles: [], requestId: new Uint8Array() };
      const body = {
        meta: saltPart(encodeMeta({ ...meta, schema: 1 })),
        object: saltPart(object === undefined ? new Uint8Array() : encodeObject(object)),
      };
      const leaf: Leaf = {
        kind: ref.kindNumber,
        needs: 1,
        tombstone: object === undefined,
        reappended: false,
        epoch,
        n,
        time: 1_795_000_000_000,
        prev: before?.n ?? 0,
        key: ref.key,
        commitment: commit(body),
      };
      const stored = { leaf: encodeLeaf(leaf), body: encodeBody(body) };
      leaves.push(stored);
      this.#range.append(leafHash(stored.leaf), (subtree, hash) => {
        if (isStoredLevel(subtree.level)) nodes.push({ ...subtree, hash });
      });
      put.delete(name);
      removed.delete(name);
      if (object === undefined) removed.set(name, ref);
      else put.set(name, { ...ref, n, firstN, columns: columnsOf(object) });
    }
    const next = { epoch, n: expected.n + leaves.length, root: this.#range.root() };
    this.#head = { ...expected, ...next, openedIn: opens?.openedIn ?? expected.openedIn };
    const batch: AppendBatch = {
      leaves,
      nodes,
      next,
      ...(opens === undefined ? {} : { openedIn: opens.openedIn }),
      rows: { put: [...put.values()], removed: [...removed.values()] },
    };
    return { expected, batch };
  }
}
