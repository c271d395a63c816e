import { toHex } from "./bytes.ts";
import { columnsText, type ProjectionRow } from "./project.ts";
import type { StateName } from "./state-name.ts";

/** First field of an export's first line. */
export const EXPORT_FORMAT = "bonafide-ledger-export-1";

/**
 * The lines of an export: JSON objects, one a line, all bytes in hexadecimal. First the header, then every leaf, then
 * every row. The key secret is never in it, so pseudonyms stay pseudonyms; bodies are, so it is as confidential as the
 * database.
 *
 * Lines: `{format, ledger_id, epoch, n, root}`, `{n, leaf, body}`, `{row: {kind, key, n, first_n, columns}}`.
 */
export async function* exportLines(input: {
  readonly head: StateName & { readonly ledgerId: Uint8Array };
  readonly leaves: AsyncIterable<{ readonly leaf: Uint8Array; readonly body: Uint8Array }>;
  readonly rows: AsyncIterable<ProjectionRow>;
}): AsyncGenerator<string, void, void> {
  const { epoch, n, root, ledgerId } = input.head;
  const header = { format: EXPORT_FORMAT, ledger_id: toHex(ledgerId), epoch, n, root: toHex(root) };
  yield JSON.stringify(header);
  let at = 0;
  for await (const { leaf, body } of input.leaves) {
    at += 1;
    yield JSON.stringify({ n: at, leaf: toHex(leaf), body: toHex(body) });
  }
  for await (const row of input.rows) {
    const { kindNumber: kind, key, firstN: first_n, columns } = row;
    const text = { kind, key: toHex(key), n: row.n, first_n, columns: columnsText(columns) };
    yield JSON.stringify({ row: text });
  }
}
