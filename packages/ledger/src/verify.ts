import { isBonafideError } from "@bonafide/errors";
import { commit, decodeBody, partBytes } from "./body.ts";
import { equalBytes, toHex } from "./bytes.ts";
import { CompactRange } from "./compact-range.ts";
import { kindName, KINDS, understanding } from "./kinds.ts";
import { decodeLeaf, type Leaf } from "./leaf.ts";
import { decodeObject } from "./object-codec.ts";
import { objectKey, objectName } from "./object-key.ts";
import { isObjectKind, naturalKeyOf } from "./objects.ts";
import { columnsOf, columnsText, type ProjectionRow } from "./project.ts";
import type { StateName } from "./state-name.ts";
import { leafHash, isStoredLevel } from "./tree-hash.ts";

/** What can be wrong with a ledger; each names one rule. */
export type FaultCode =
  /** The 80 bytes are no leaf of format 1. */
  | "leaf.malformed"
  /** n is not one more than the leaf's before. */
  | "leaf.gap"
  /** `prev` is not the n of the key's leaf before. */
  | "leaf.prev"
  /** The epoch fell, or rose without an opening leaf. */
  | "epoch.unopened"
  /** An opening leaf that is not the first of its epoch. */
  | "epoch.misplaced"
  /** Leaf 1 is not the one that names the ledger, or another one is. */
  | "ledger.misplaced"
  /** The body column is not two parts, or the object is no message of its kind. */
  | "body.malformed"
  /** A part of the body is not what the leaf commits to. */
  | "body.commitment"
  /** The pseudonym is not that of the object's name. */
  | "key.differs"
  /** A kept tile top is not the hash of its leaves, or is missing. */
  | "node.differs"
  /** The leaves do not lead to the stated state. */
  | "head.differs"
  /** A live object has no row. */
  | "row.missing"
  /** A row that no live object stands behind. */
  | "row.stray"
  /** A row says something else than the object's newest leaf. */
  | "row.differs"
  /** A leaf that this version must understand and does not; what depends on it was not checked. */
  | "leaf.too-new";

/** One thing that is wrong. */
export interface Fault {
  readonly code: FaultCode;
  /** The leaf it was found at; 0: none. */
  readonly n: number;
  /** For people; no names, no secrets. */
  readonly text: string;
}

/** What {@link verifyLedger} reads. */
export interface VerifyInput {
  /** The state that the store states. */
  readonly head: StateName;
  /** All leaves, lowest n first. */
  readonly leaves: AsyncIterable<{ readonly leaf: Uint8Array; readonly body: Uint8Array }>;
  /** All rows in any order; undefined: not checked. */
  readonly rows?: AsyncIterable<ProjectionRow>;
  /** All kept tile tops in any order; undefined: not checked. */
  readonly nodes?: AsyncIterable<{
    readonly level: number;
    readonly index: number;
    readonly hash: Uint8Array;
  }>;
  /** Makes pseudonyms checkable; undefined: an export, which does not have it. */
  readonly keySecret?: Uint8Array;
}

/** What was found. */
export interface VerifyReport {
  readonly leaves: number;
  /** Parts of bodies that were erased, and so can be checked no more. */
  readonly erasedParts: number;
  readonly root: Uint8Array;
  /** At most {@link FAULTS_MAX}, in the order in which they were found. */
  readonly faults: readonly Fault[];
  /** How many there are in all. */
  readonly faultCount: number;
}

/** Faults that one report names. */
export const FAULTS_MAX = 1000;

interface Newest {
  readonly n: number;
  readonly firstN: number;
  /** undefined: removed. `""`: the object cannot be read here. */
  readonly columns: string | undefined;
}

/**
 * Checks a whole ledger: headers chain to the root, every kept body is the one it was written with, `prev` is right,
 * epochs open once and first, and rows are the last writer per key, both ways. Never throws for what it finds.
 *
 * @spec docs/adr/0020-leaf-format.md
 */
export async function verifyLedger(input: VerifyInput): Promise<VerifyReport> {
  const run = new Verification(input);
  for await (const stored of input.leaves) run.leaf(stored.leaf, stored.body);
  run.end();
  if (input.nodes !== undefined) {
    for await (const node of input.nodes) run.node(node.level, node.index, node.hash);
    run.endOfNodes();
  }
  if (input.rows !== undefined) {
    for await (const row of input.rows) run.row(row);
    run.endOfRows();
  }
  return run.report();
}

class Verification {
  readonly #input: VerifyInput;
  readonly #range = new CompactRange();
  readonly #tops = new Map<string, Uint8Array>();
  readonly #newest = new Map<string, Newest>();
  readonly #openings = new Set<number>();
  readonly #faults: Fault[] = [];
  #faultCount = 0;
  #erasedParts = 0;
  #epoch = 0;

  constructor(input: VerifyInput) {
    this.#input = input;
  }

  leaf(bytes: Uint8Array, body: Uint8Array): void {
    const n = this.#range.size + 1;
    this.#range.append(leafHash(bytes), ({ level, index }, hash) => {
      if (isStoredLevel(level)) this.#tops.set(`${level}/${index}`, hash);
    });
    let leaf: Leaf;
    try {
      leaf = decodeLeaf(bytes);
    } catch (error) {
      this.#fault("leaf.malformed", n, isBonafideError(error) ? error.message : "not a leaf");
      return;
    }
    if (leaf.n !== n) this.#fault("leaf.gap", n, `this leaf says that it is ${leaf.n}`);
    this.#checkPlace(leaf, n);
    const name = objectName(leaf.kind, leaf.key);
    const before = this.#newest.get(name);
    if (leaf.prev !== (before?.n ?? 0)) {
      this.#fault("leaf.prev", n, `prev is ${leaf.prev}, not ${before?.n ?? 0}`);
    }
    const columns = leaf.tombstone ? undefined : this.#columns(leaf, n, body);
    if (leaf.tombstone) this.#checkBody(leaf, n, body);
    const wasLive = before?.columns !== undefined;
    const firstN = columns === undefined ? 0 : wasLive ? before.firstN : n;
    this.#newest.set(name, { n, firstN, columns });
  }

  end(): void {
    const { head } = this.#input;
    const right = this.#range.size === head.n && equalBytes(this.#range.root(), head.root);
    if (right && this.#epoch === head.epoch) return;
    const [size, epoch] = [this.#range.size, this.#epoch];
    const text = `${size} leaves of epoch ${epoch} do not lead to the stated state of ${head.n}`;
    this.#fault("head.differs", size, text);
  }

  node(level: number, index: number, hash: Uint8Array): void {
    const name = `${level}/${index}`;
    const right = this.#tops.get(name);
    this.#tops.delete(name);
    if (right !== undefined && equalBytes(right, hash)) return;
    this.#fault("node.differs", 0, `the kept hash of subtree ${name} is not that of its leaves`);
  }

  endOfNodes(): void {
    for (const name of this.#tops.keys()) {
      this.#fault("node.differs", 0, `the hash of subtree ${name} is missing`);
    }
  }

  row({ kindNumber, key, n, firstN, columns }: ProjectionRow): void {
    const name = objectName(kindNumber, key);
    const newest = this.#newest.get(name);
    this.#newest.delete(name);
    const which = `${kindNumber}/${toHex(key)}`;
    if (newest?.columns === undefined) {
      this.#fault("row.stray", newest?.n ?? n, `row ${which} stands for no live object`);
      return;
    }
    const sameText = newest.columns === "" || newest.columns === columnsText(columns);
    if (newest.n === n && newest.firstN === firstN && sameText) return;
    this.#fault("row.differs", newest.n, `row ${which} is not what leaf ${newest.n} says`);
  }

  endOfRows(): void {
    for (const { n, columns } of this.#newest.values()) {
      if (columns !== undefined)
        this.#fault("row.missing", n, `the object of leaf ${n} has no row`);
    }
  }

  report(): VerifyReport {
    return {
      leaves: this.#range.size,
      erasedParts: this.#erasedParts,
      root: this.#range.root(),
      faults: this.#faults,
      faultCount: this.#faultCount,
    };
  }

  #checkPlace(leaf: Leaf, n: number): void {
    if ((leaf.kind === KINDS.ledger) !== (n === 1)) {
      this.#fault("ledger.misplaced", n, "leaf 1, and it alone, names the ledger");
    }
    const opens = leaf.kind === KINDS.epoch;
    if (leaf.epoch !== this.#epoch && !(opens && leaf.epoch > this.#epoch)) {
      this.#fault("epoch.unopened", n, `epoch ${leaf.epoch} after ${this.#epoch} was not opened`);
    } else if (opens && (leaf.epoch === this.#epoch || this.#openings.has(leaf.epoch))) {
      this.#fault("epoch.misplaced", n, `epoch ${leaf.epoch} is opened again`);
    }
    if (opens) this.#openings.add(leaf.epoch);
    this.#epoch = leaf.epoch;
  }

  /** The row that a leaf's object asks for; `""` if the object cannot be read. */
  #columns(leaf: Leaf, n: number, body: Uint8Array): string {
    const bytes = this.#checkBody(leaf, n, body);
    const known = understanding(leaf);
    if (known === "too-new") {
      this.#fault("leaf.too-new", n, `schema ${leaf.needs} of kind ${leaf.kind} is not known`);
    }
    const kind = kindName(leaf.kind);
    if (bytes === undefined || known !== "adopt" || !isObjectKind(kind)) return "";
    try {
      const object = decodeObject(kind, bytes, leaf);
      const { keySecret } = this.#input;
      const right =
        keySecret === undefined ||
        equalBytes(objectKey(keySecret, leaf.kind, naturalKeyOf(object)), leaf.key);
      if (!right) this.#fault("key.differs", n, "the pseudonym is not that of the object");
      return columnsText(columnsOf(object));
    } catch {
      this.#fault("body.malformed", n, `the object is no message of kind ${leaf.kind}`);
      return "";
    }
  }

  /** @returns the object's bytes, if they are there and right */
  #checkBody(leaf: Leaf, n: number, bytes: Uint8Array): Uint8Array | undefined {
    try {
      const body = decodeBody(bytes);
      for (const part of [body.meta, body.object]) this.#erasedParts += Number(!("salted" in part));
      if (equalBytes(commit(body), leaf.commitment)) return partBytes(body.object);
      this.#fault("body.commitment", n, "the body is not the one that the leaf was written with");
    } catch {
      this.#fault("body.malformed", n, "the body column is not two parts");
    }
    return undefined;
  }

  #fault(code: FaultCode, n: number, text: string): void {
    this.#faultCount += 1;
    if (this.#faults.length < FAULTS_MAX) this.#faults.push({ code, n, text });
  }
}
