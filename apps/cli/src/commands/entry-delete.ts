import { Entries } from "@bonafide/proto/bonafide/admin/v1/entries_pb";
import { Entry } from "@bonafide/proto/spire/api/server/entry/v1/entry_pb";
import { type Command, type CommandContext, defineCommand } from "../arguments/command.ts";
import { usage } from "../arguments/parse-flags.ts";
import { connectServer, SOCKET_FLAG } from "../clients/connect-server.ts";
import type { SocketClient } from "../clients/socket-client.ts";
import { EXIT } from "../exit-codes.ts";
import { type DescribedPreview, previewJson, previewText } from "../render/preview.ts";
import { idText } from "../render/spiffe-id.ts";

/** `bonafide entry delete` */
export const entryDelete: Command = defineCommand({
  name: "entry delete",
  summary: "deletes registration entries; their SVIDs are no longer renewed",
  usage: "ENTRY-ID... [flags]",
  flags: {
    ...SOCKET_FLAG,
    "entry-id": { kind: "string", repeated: true, help: "same as an operand", spire: "entryID" },
    "dry-run": { kind: "boolean", help: "say which nodes would lose what; delete nothing" },
  },
  operands: { min: 0, max: 500 },
  examples: [
    "bonafide entry delete 0d2c1b1e-8a3e-4b60-93a5-0f0f3bb0f7c5",
    "bonafide entry delete --dry-run 0d2c1b1e-8a3e-4b60-93a5-0f0f3bb0f7c5",
  ],
  async run({ flags, operands, env, output, signal }) {
    const ids = [...operands, ...flags["entry-id"]];
    if (ids.length === 0) throw usage("which entry? bonafide entry delete ENTRY-ID");
    using server = connectServer(flags.socket, env);
    if (flags["dry-run"]) return await preview(server, ids, { output, signal });
    const { results } = await server.client(Entry).batchDeleteEntry({ ids }, { signal });
    const outcomes = results.map(({ id, status }) => ({
      id,
      deleted: status?.code === 0,
      message: status?.code === 0 ? "deleted" : (status?.message ?? "no answer"),
    }));
    output.result(outcomes.map(({ id, message }) => `${id}  ${message}`).join("\n"), {
      results: outcomes,
    });
    return outcomes.every(({ deleted }) => deleted) ? EXIT.ok : EXIT.no;
  },
});

async function preview(
  server: SocketClient,
  ids: readonly string[],
  { output, signal }: Pick<CommandContext, "output" | "signal">,
): Promise<number> {
  const results: {
    readonly id: string;
    readonly spiffeId: string;
    readonly preview: DescribedPreview;
  }[] = [];
  for (const id of ids) {
    // One by one: each is judged as if it went alone.
    const answer = await server.client(Entries).previewDelete({ id }, { signal });
    if (answer.preview === undefined) return EXIT.no;
    const spiffeId = idText(answer.entry?.entry?.spiffeId);
    results.push({ id, spiffeId, preview: previewJson(answer.preview) });
  }
  const texts = results.map(
    ({ id, spiffeId, preview: would }) => `${id}  ${spiffeId}\n${previewText(would)}`,
  );
  output.result(texts.join("\n"), { dryRun: true, results });
  output.note("dry run: nothing was deleted");
  return EXIT.ok;
}
