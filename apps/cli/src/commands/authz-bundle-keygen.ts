import { existsSync } from "node:fs";
import { createPolicyKey } from "@bonafide/authz";
import { BonafideError } from "@bonafide/errors";
import { type Command, defineCommand } from "../arguments/command.ts";
import { CLI_ERRORS } from "../errors.ts";
import { EXIT } from "../exit-codes.ts";
import { openFreshFile } from "../process/fresh-file.ts";

/** `bonafide authz bundle keygen` */
export const authzBundleKeygen: Command = defineCommand({
  name: "authz bundle keygen",
  summary: "makes a key that signs bundles of policies, and nothing else",
  flags: {
    out: {
      kind: "string",
      help: "writes NAME.key (private, 0600) and NAME.pub",
      placeholder: "NAME",
      required: true,
    },
    algorithm: {
      kind: "string",
      help: "ed25519 or p256",
      placeholder: "NAME",
      standard: "ed25519",
    },
  },
  examples: [
    "bonafide authz bundle keygen --out ci",
    "bonafide authz bundle keygen --out a --algorithm p256",
  ],
  async run({ flags, output }) {
    const name = flags.algorithm ?? "ed25519";
    const algorithms = { ed25519: "Ed25519", p256: "ECDSA P-256" } as const;
    if (name !== "ed25519" && name !== "p256") {
      const message = `--algorithm is ed25519 or p256, not ${name}`;
      throw new BonafideError(CLI_ERRORS, "USAGE", message);
    }
    if (existsSync(`${flags.out}.key`)) {
      const message = `${flags.out}.key is there already; a key that is lost cannot be made again`;
      throw new BonafideError(CLI_ERRORS, "OUTPUT_UNWRITABLE", message);
    }
    const { key, publicPem, privatePem } = await createPolicyKey(algorithms[name]);
    for (const [path, text, mode] of [
      [`${flags.out}.key`, privatePem, 0o600],
      [`${flags.out}.pub`, publicPem, 0o644],
    ] as const) {
      using file = openFreshFile(path, mode);
      file.write(text);
      file.finish();
    }
    output.result(`key ${key.id.slice(0, 16)}: ${flags.out}.key (keep it), ${flags.out}.pub`, {
      keyId: key.id,
      algorithm: key.algorithm,
      privateKey: `${flags.out}.key`,
      publicKey: `${flags.out}.pub`,
    });
    return EXIT.ok;
  },
});
