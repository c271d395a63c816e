import { Ledger } from "@bonafide/proto/bonafide/admin/v1/ledger_pb";
import { type Command, defineCommand } from "../arguments/command.ts";
import { connectServer, SOCKET_FLAG } from "../clients/connect-server.ts";
import { EXIT } from "../exit-codes.ts";
import { openFreshFile } from "../process/fresh-file.ts";

/** `bonafide ledger export` */
export const ledgerExport: Command = defineCommand({
  name: "ledger export",
  summary: "writes the whole ledger as JSON lines, for a verifier that is not ours",
  flags: {
    ...SOCKET_FLAG,
    file: {
      kind: "string",
      help: "write it there, 0600, and only when it is whole; else to standard output",
      placeholder: "FILE",
    },
  },
  examples: [
    "bonafide ledger export --file ledger.jsonl",
    "python3 conformance/ledger-verify/verify_ledger.py ledger.jsonl",
  ],
  async run({ flags, env, output, signal }) {
    using server = connectServer(flags.socket, env);
    const parts = server.client(Ledger).export({}, { signal, timeoutMs: Number.POSITIVE_INFINITY });
    if (flags.file === undefined) {
      for await (const { text } of parts) output.raw(text);
      return EXIT.ok;
    }
    using file = openFreshFile(flags.file, 0o600);
    let lines = 0;
    for await (const { text } of parts) {
      file.write(text);
      lines += text.split("\n").length - 1;
    }
    file.finish();
    output.result(`${lines} lines written to ${flags.file}`, { file: flags.file, lines });
    return EXIT.ok;
  },
});
