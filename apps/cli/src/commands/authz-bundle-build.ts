import { buildBundle, openPolicySigner } from "@bonafide/authz";
import { type Command, defineCommand } from "../arguments/command.ts";
import { instantText, writeBundle } from "../authz/bundle-files.ts";
import { FOLDER_FLAG, folderOf, readAndCheck, usable } from "../authz/open-folder.ts";
import { readText } from "../authz/read-files.ts";
import { EXIT } from "../exit-codes.ts";

const WEEK_MS = 7 * 24 * 3_600_000;

/** `bonafide authz bundle build` */
export const authzBundleBuild: Command = defineCommand({
  name: "authz bundle build",
  summary: "builds a bundle of an access model and signs it; there is none without a signature",
  flags: {
    ...FOLDER_FLAG,
    key: {
      kind: "string",
      help: "the private policy key to sign with",
      placeholder: "FILE",
      required: true,
    },
    serial: {
      kind: "integer",
      help: "above that of every bundle before; the number of a build will do",
      placeholder: "N",
      required: true,
    },
    out: { kind: "string", help: "where it goes", placeholder: "FILE", standard: "authz.bundle" },
    life: {
      kind: "duration",
      help: "from its end on nothing is permitted by it; up to 400d",
      placeholder: "DURATION",
      standard: "7d",
    },
    previous: { kind: "string", help: "digest of the bundle before", placeholder: "HEX" },
    commit: { kind: "string", help: "the revision of the folder", placeholder: "REV" },
  },
  examples: ["bonafide authz bundle build --key ci.key --serial 42 --commit $(git rev-parse HEAD)"],
  async run({ flags, output, machine }) {
    const name = folderOf(flags.folder);
    const read = await readAndCheck(name);
    usable(read, name);
    const issued = machine.clock.now();
    const bundle = await buildBundle(read, {
      serial: flags.serial,
      issued,
      expires: issued + (flags.life ?? WEEK_MS),
      ...(flags.previous !== undefined && { previous: flags.previous }),
      ...(flags.commit !== undefined && { commit: flags.commit }),
    });
    const bytes = await bundle.sign(await openPolicySigner(readText(flags.key)));
    const file = flags.out ?? "authz.bundle";
    writeBundle(file, bytes);
    const expires = instantText(issued + (flags.life ?? WEEK_MS));
    output.result(
      `${file}: serial ${flags.serial}, digest ${bundle.digest.slice(0, 16)}, expires ${expires}`,
      { file, serial: flags.serial, digest: bundle.digest, expires, bytes: bytes.length },
    );
    return EXIT.ok;
  },
});
