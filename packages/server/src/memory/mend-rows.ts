import {
  columnsOf,
  columnsText,
  isObjectKind,
  kindName,
  objectName,
  type ProjectionRow,
} from "@bonafide/ledger";
import type { AppendBatch, ObjectRef, ProjectionStore } from "@bonafide/plugin-api";
import type { Registry, Slot } from "../lane/registry.ts";

const PAGE = 2048;

/** The rows that make the query tables what the leaves say; both lists empty if they are. */
export async function rowsToMend(
  projections: ProjectionStore,
  registry: Registry,
): Promise<AppendBatch["rows"]> {
  const removed: ObjectRef[] = [];
  const put: ProjectionRow[] = [];
  const seen = new Set<string>();
  for (let page = await projections.rowsAfter(undefined, PAGE); page.length > 0;) {
    for (const row of page) {
      const { kindNumber, key } = row;
      const name = objectName(kindNumber, key);
      seen.add(name);
      const right = rightRow({ kindNumber, key }, registry.slotByKey(kindNumber, key));
      if (right === undefined) removed.push({ kindNumber, key });
      else if (rowText(right) !== rowText(row)) put.push(right);
    }
    page = await projections.rowsAfter(page.at(-1), PAGE);
  }
  for (const [name, slot] of registry.slots()) {
    if (seen.has(name)) continue;
    const key = Uint8Array.from(name.slice(1), (char) => char.charCodeAt(0));
    const right = rightRow({ kindNumber: name.charCodeAt(0), key }, slot);
    if (right !== undefined) put.push(right);
  }
  return { put, removed };
}

function rightRow(ref: ObjectRef, slot: Slot | undefined): ProjectionRow | undefined {
  const known = isObjectKind(kindName(ref.kindNumber));
  if (slot?.object === undefined || !known) return undefined;
  return { ...ref, n: slot.n, firstN: slot.firstN, columns: columnsOf(slot.object) };
}

function rowText(row: ProjectionRow): string {
  return `${row.n} ${row.firstN} ${columnsText(row.columns)}`;
}
