import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { ProjectionRow, RowColumns } from "@bonafide/ledger";
import { KINDS } from "@bonafide/ledger";
import type { ObjectRef } from "@bonafide/plugin-api";
import { WORD_LISTS } from "./schema.ts";

/** Writes the query tables; prepared once per open file. */
export class RowWriter {
  readonly #putObject: StatementSync;
  readonly #removeObject: StatementSync;
  readonly #putEntry: StatementSync;
  readonly #putNode: StatementSync;
  readonly #putToken: StatementSync;
  readonly #removeTyped: ReadonlyMap<number, StatementSync>;
  readonly #putWord: StatementSync;
  readonly #removeWords: StatementSync;

  constructor(db: DatabaseSync) {
    this.#putObject = db.prepare("INSERT OR REPLACE INTO object VALUES (?,?,?,?,?)");
    this.#removeObject = db.prepare("DELETE FROM object WHERE kind=? AND key=?");
    this.#putEntry = db.prepare("INSERT OR REPLACE INTO entry VALUES (?,?,?,?,?,?,?,?,?,?)");
    this.#putNode = db.prepare("INSERT OR REPLACE INTO agent VALUES (?,?,?,?,?,?,?,?)");
    this.#putToken = db.prepare("INSERT OR REPLACE INTO join_token VALUES (?,?,?,?,?,?)");
    this.#removeTyped = new Map([
      [KINDS.entry, db.prepare("DELETE FROM entry WHERE key=?")],
      [KINDS.node, db.prepare("DELETE FROM agent WHERE key=?")],
      [KINDS.joinToken, db.prepare("DELETE FROM join_token WHERE key=?")],
    ]);
    this.#putWord = db.prepare("INSERT OR IGNORE INTO row_word VALUES (?,?,?)");
    this.#removeWords = db.prepare("DELETE FROM row_word WHERE key=?");
  }

  /** Takes a row out. */
  remove({ kindNumber, key }: ObjectRef): void {
    this.#removeObject.run(kindNumber, key);
    const typed = this.#removeTyped.get(kindNumber);
    if (typed === undefined) return;
    typed.run(key);
    this.#removeWords.run(key);
  }

  /** Puts a row in place of the one before it. */
  put(row: ProjectionRow): void {
    const { kindNumber, key, n, firstN, columns } = row;
    const naturalKey = columns.kind === "other" ? columns.naturalKey : null;
    this.#putObject.run(kindNumber, key, n, firstN, naturalKey);
    if (columns.kind !== "other") this.#putTyped(row, columns);
  }

  #putTyped(row: ProjectionRow, columns: Exclude<RowColumns, { kind: "other" }>): void {
    const { key, n, firstN } = row;
    switch (columns.kind) {
      case "entry":
        this.#putEntry.run(
          key,
          firstN,
          n,
          columns.entryId,
          columns.spiffeId,
          columns.parentId,
          JSON.stringify(columns.selectors),
          JSON.stringify(columns.federatesWith),
          columns.hint,
          Number(columns.downstream),
        );
        this.#putWords(key, WORD_LISTS.entrySelectors, columns.selectors, true);
        this.#putWords(key, WORD_LISTS.entryFederatesWith, columns.federatesWith, false);
        return;
      case "node":
        this.#putNode.run(
          key,
          firstN,
          n,
          columns.spiffeId,
          columns.attestationType,
          JSON.stringify(columns.selectors),
          columns.state,
          Number(columns.canReattest),
        );
        this.#putWords(key, WORD_LISTS.nodeSelectors, columns.selectors, true);
        return;
      default:
        this.#putToken.run(
          key,
          firstN,
          n,
          columns.tokenSha256,
          columns.expiresAtMs,
          Number(columns.spent),
        );
    }
  }

  #putWords(key: Uint8Array, list: number, words: readonly string[], first: boolean): void {
    if (first) this.#removeWords.run(key);
    for (const word of words) this.#putWord.run(list, word, key);
  }
}
