import {
  addSignature,
  buildBundle,
  openPolicySigner,
  PolicyTrust,
  verifyBundle,
} from "@bonafide/authz";
import { BonafideError } from "@bonafide/errors";
import { type Command, defineCommand } from "../arguments/command.ts";
import {
  instantText,
  readBundle,
  TRUST_FLAGS,
  trustOf,
  writeBundle,
} from "../authz/bundle-files.ts";
import { FOLDER_FLAG, folderOf, readAndCheck, usable } from "../authz/open-folder.ts";
import { readText } from "../authz/read-files.ts";
import { CLI_ERRORS } from "../errors.ts";
import { EXIT } from "../exit-codes.ts";

const { trust } = TRUST_FLAGS;
const WEEK_MS = 7 * 24 * 3_600_000;

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
    serial: {
      kind: "integer",
      help: "the serial that the bundle has to have",
      placeholder: "N",
      required: true,
    },
    "life-max": {
      kind: "duration",
      help: "the longest life that is signed",
      placeholder: "DURATION",
      standard: "7d",
    },
  },
  operands: { min: 1, max: 1 },
  examples: [
    "bonafide authz bundle sign authz.bundle --serial 42 --key release.key --trust policy.pub",
  ],
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
    const lifeMax = flags["life-max"] ?? WEEK_MS;
    if (serial !== flags.serial) {
      throw differs(`${file} has serial ${serial}, not ${flags.serial}`);
    }
    if (expires - issued > lifeMax) {
      throw differs(`${file} lives until ${instantText(expires)}, longer than is to be signed`);
    }
    const own = await buildBundle(read, {
      serial,
      issued,
      expires,
      ...(previous !== undefined && { previous }),
      ...(commit !== undefined && { commit }),
    });
    if (own.digest !== ref.digest) {
      const message = `${file} is not the bundle of ${name}: ${ref.digest.slice(0, 16)}, not ${own.digest.slice(0, 16)}`;
      throw differs(message);
    }
    const signer = await openPolicySigner(readText(flags.key));
    writeBundle(file, await addSignature(bytes, signer));
    const keyId = signer.key.id;
    const until = instantText(expires);
    output.result(
      `${file}: the bundle of ${name}, serial ${serial}, expires ${until}, now also signed by ${keyId.slice(0, 16)}`,
      { file, ...ref, expires: until, keyId },
    );
    return EXIT.ok;
  },
});

function differs(message: string): BonafideError {
  return new BonafideError(CLI_ERRORS, "AUTHZ_BUNDLE_DIFFERS", message);
}
