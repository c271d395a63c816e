import type { SQLOutputValue } from "node:sqlite";
import { failure } from "./database.ts";

/** One row as node:sqlite gives it. */
export type Row = Record<string, SQLOutputValue>;

/** @throws STORE_CORRUPT */
export function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== "string") throw wrong(column);
  return value;
}

/** @throws STORE_CORRUPT */
export function integer(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== "number") throw wrong(column);
  return value;
}

/** @throws STORE_CORRUPT */
export function blob(row: Row, column: string): Uint8Array {
  const value = row[column];
  if (!(value instanceof Uint8Array)) throw wrong(column);
  return value;
}

/** A JSON array of words. @throws STORE_CORRUPT */
export function words(row: Row, column: string): string[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text(row, column));
  } catch {
    throw wrong(column);
  }
  if (!Array.isArray(parsed)) throw wrong(column);
  return parsed.map((word: unknown) => {
    if (typeof word !== "string") throw wrong(column);
    return word;
  });
}

function wrong(column: string): Error {
  return failure("STORE_CORRUPT", `column ${column} is not what this program wrote`);
}
