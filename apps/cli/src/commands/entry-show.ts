import { Entries } from "@bonafide/proto/bonafide/admin/v1/entries_pb";
import { type Command, defineCommand } from "../arguments/command.ts";
import { connectServer, SOCKET_FLAG } from "../clients/connect-server.ts";
import { EXIT } from "../exit-codes.ts";
import { entryJson, entryText } from "../render/entry.ts";

/** `bonafide entry show` */
export const entryShow: Command = defineCommand({
  name: "entry show",
  summary: "shows one registration entry",
  usage: "ENTRY-ID [flags]",
  flags: SOCKET_FLAG,
  operands: { min: 1, max: 1 },
  examples: ["bonafide entry show 0d2c1b1e-8a3e-4b60-93a5-0f0f3bb0f7c5"],
  async run({ flags, operands, env, output, signal }) {
    using server = connectServer(flags.socket, env);
    const { entry: owned } = await server
      .client(Entries)
      .getEntry({ id: operands[0] ?? "" }, { signal });
    if (owned?.entry === undefined) return EXIT.no;
    const { entry, owner, labels } = owned;
    output.result(entryText({ entry, owner, labels }), entryJson({ entry, owner, labels }));
    return EXIT.ok;
  },
});
