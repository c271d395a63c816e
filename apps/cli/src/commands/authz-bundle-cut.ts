import { cutBundle } from "@bonafide/authz";
import { type Command, defineCommand } from "../arguments/command.ts";
import { readBundle, writeBundle } from "../authz/bundle-files.ts";
import { EXIT } from "../exit-codes.ts";

/** `bonafide authz bundle cut` */
export const authzBundleCut: Command = defineCommand({
  name: "authz bundle cut",
  summary: "cuts a bundle down to what some services need; its signatures stay good",
  usage: "FILE [flags]",
  flags: {
    service: { kind: "string", help: "keeps the slice of this service", repeated: true },
    out: { kind: "string", help: "where it goes", placeholder: "FILE", required: true },
  },
  operands: { min: 1, max: 1 },
  examples: ["bonafide authz bundle cut authz.bundle --service payments --out payments.bundle"],
  async run({ flags, operands, output }) {
    const [file = ""] = operands;
    const bytes = readBundle(file);
    const cut = cutBundle(bytes, flags.service);
    writeBundle(flags.out, cut);
    output.result(`${flags.out}: ${flags.service.join(", ") || "no service"}`, {
      file: flags.out,
      services: flags.service,
      bytes: cut.length,
    });
    return EXIT.ok;
  },
});
