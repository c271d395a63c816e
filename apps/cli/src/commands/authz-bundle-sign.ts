import {
  addSignature,
  buildBundle,
  openPolicySigner,
  PolicyTrust,
  verifyBundle,
} from "@bonafide/authz";
import { BonafideError } from "@bonafide/errors";
import { type Command, defineCommand } from "../arguments/command.ts";
import { readBundle, TRUST_FLAGS, trustOf, writeBundle } from "../authz/bundle-files.ts";
import { FOLDER_FLAG, folderOf, readAndCheck, usable } from "../authz/open-folder.ts";
import { readText } from "../authz/read-files.ts";
import { CLI_ERRORS } from "../errors.ts";
import { EXIT } from "../exit-codes.ts";

const { trust } = TRUST_FLAGS;

/** `bonafide authz bundle sign` */
export const authzBundleSign: Command = defineCommand({
  name: "authz bundle sign",
  summary: "adds a signature to a bundle, after building the same one from one's own folder",
  usage: "FILE [flags]",
  flags: {
    ...FOLDER_FLAG,
    trust,
    key: {
      kind: "string",
      help: "the private policy key to sign with",
      placeholder: "FILE",
      required: true,
    },
  },
  operands: { min: 1, max: 1 },
  examples: ["bonafide authz bundle sign authz.bundle --key release.key --trust policy.pub"],
  async run({ flags, operands, output, machine }) {
    const [file = ""] = operands;
    const bytes = readBundle(file);
    const name = folderOf(flags.folder);
    const read = await readAndCheck(name);
    const { trustDomain } = usable(read, name).model;
    const { keys } = await trustOf({ trust: flags.trust, threshold: 1 });
    const { manifest, ref } = await verifyBundle(bytes, {
      trust: PolicyTrust.of({ keys: [...keys.values()], threshold: 1 }),
      trustDomain,
      now: machine.clock.now(),
    });
    const { serial, issued, expires, previous, commit } = manifest;
    const own = await buildBundle(read, {
      serial,
      issued,
      expires,
      ...(previous !== undefined && { previous }),
      ...(commit !== undefined && { commit }),
    });
    if (own.digest !== ref.digest) {
      const message = `${file} is not the bundle of ${name}: ${ref.digest.slice(0, 16)}, not ${own.digest.slice(0, 16)}`;
      throw new BonafideError(CLI_ERRORS, "AUTHZ_BUNDLE_DIFFERS", message);
    }
    const signer = await openPolicySigner(readText(flags.key));
    writeBundle(file, await addSignature(bytes, signer));
    const keyId = signer.key.id;
    output.result(`${file}: the bundle of ${name}, now also signed by ${keyId.slice(0, 16)}`, {
      file,
      ...ref,
      keyId,
    });
    return EXIT.ok;
  },
});
