import { Buffer } from "node:buffer";
import { Ledger } from "@bonafide/proto/bonafide/admin/v1/ledger_pb";
import { type Command, defineCommand } from "../arguments/command.ts";
import { connectServer, SOCKET_FLAG } from "../clients/connect-server.ts";
import { EXIT } from "../exit-codes.ts";

/** `bonafide ledger accept-rewind` */
export const ledgerAcceptRewind: Command = defineCommand({
  name: "ledger accept-rewind",
  summary: "lets a held server go on from what its store holds now; written to the ledger",
  flags: {
    ...SOCKET_FLAG,
    "drop-removals": {
      kind: "boolean",
      help: "give up deletions and bans that the store has lost, too",
    },
  },
  examples: [
    "bonafide ledger accept-rewind",
    "bonafide ledger accept-rewind --drop-removals   # the restore is to undo a mass deletion",
  ],
  async run({ flags, env, output, signal }) {
    using server = connectServer(flags.socket, env);
    const { head } = await server
      .client(Ledger)
      .acceptRewind({ dropRemovals: flags["drop-removals"] }, { signal });
    const state = {
      epoch: head?.epoch ?? 0,
      n: Number(head?.n ?? 0n),
      root: Buffer.from(head?.root ?? []).toString("hex"),
    };
    output.result(`accepted; the server writes again: epoch ${state.epoch}, n ${state.n}`, {
      accepted: true,
      head: state,
    });
    return EXIT.ok;
  },
});
