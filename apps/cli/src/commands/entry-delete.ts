import { Entry } from "@bonafide/proto/spire/api/server/entry/v1/entry_pb";
import { type Command, defineCommand } from "../arguments/command.ts";
import { usage } from "../arguments/parse-flags.ts";
import { connectServer, SOCKET_FLAG } from "../clients/connect-server.ts";
import { EXIT } from "../exit-codes.ts";

/** `bonafide entry delete` */
export const entryDelete: Command = defineCommand({
  name: "entry delete",
  summary: "deletes registration entries; their SVIDs are no longer renewed",
  usage: "ENTRY-ID... [flags]",
  flags: {
    ...SOCKET_FLAG,
    "entry-id": { kind: "string", repeated: true, help: "same as an operand", spire: "entryID" },
  },
  operands: { min: 0, max: 500 },
  examples: ["bonafide entry delete 0d2c1b1e-8a3e-4b60-93a5-0f0f3bb0f7c5"],
  async run({ flags, operands, env, output, signal }) {
    const ids = [...operands, ...flags["entry-id"]];
    if (ids.length === 0) throw usage("which entry? bonafide entry delete ENTRY-ID");
    using server = connectServer(flags.socket, env);
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
