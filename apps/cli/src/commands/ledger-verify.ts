import { Buffer } from "node:buffer";
import { Ledger } from "@bonafide/proto/bonafide/admin/v1/ledger_pb";
import { type Command, defineCommand } from "../arguments/command.ts";
import { connectServer, SOCKET_FLAG } from "../clients/connect-server.ts";
import { EXIT } from "../exit-codes.ts";

/** `bonafide ledger verify` */
export const ledgerVerify: Command = defineCommand({
  name: "ledger verify",
  summary: "recomputes every hash of the ledger and compares the tables with it",
  flags: SOCKET_FLAG,
  examples: ["bonafide ledger verify"],
  async run({ flags, env, output, signal }) {
    using server = connectServer(flags.socket, env);
    const answer = await server
      .client(Ledger)
      .verify({}, { signal, timeoutMs: Number.POSITIVE_INFINITY });
    const findings = answer.findings.map(({ n, code, text }) => ({ n: Number(n), code, text }));
    const head = answer.head;
    const state = {
      epoch: head?.epoch ?? 0,
      n: Number(head?.n ?? 0n),
      root: Buffer.from(head?.root ?? []).toString("hex"),
    };
    const counts = `${answer.leaves} leaves, ${answer.objects} objects, ${answer.rows} rows`;
    output.result(
      findings.length === 0
        ? `clean: ${counts}; epoch ${state.epoch}, n ${state.n}, root ${state.root}`
        : findings.map(({ n, code, text }) => `leaf ${n}: ${text} (${code})`).join("\n"),
      {
        clean: findings.length === 0,
        findings,
        head: state,
        leaves: Number(answer.leaves),
        objects: Number(answer.objects),
        rows: Number(answer.rows),
        erased: Number(answer.erased),
      },
    );
    return findings.length === 0 ? EXIT.ok : EXIT.no;
  },
});
