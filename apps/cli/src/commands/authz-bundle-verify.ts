import { verifyBundle } from "@bonafide/authz";
import { type Command, defineCommand } from "../arguments/command.ts";
import { instantText, readBundle, TRUST_FLAGS, trustOf } from "../authz/bundle-files.ts";
import { EXIT } from "../exit-codes.ts";

/** `bonafide authz bundle verify` */
export const authzBundleVerify: Command = defineCommand({
  name: "authz bundle verify",
  summary: "says whether a bundle would be adopted now, and what is in it",
  usage: "FILE [flags]",
  flags: {
    ...TRUST_FLAGS,
    "trust-domain": {
      kind: "string",
      help: "whose bundle it has to be",
      placeholder: "NAME",
      required: true,
    },
    service: { kind: "string", help: "needs the slice of this service", repeated: true },
  },
  operands: { min: 1, max: 1 },
  examples: [
    "bonafide authz bundle verify authz.bundle --trust policy.pub --threshold 2 --trust-domain example.org",
  ],
  async run({ flags, operands, output, machine }) {
    const [file = ""] = operands;
    const { service: services } = flags;
    const { ref, manifest, signedBy, model, policies } = await verifyBundle(readBundle(file), {
      trust: await trustOf(flags),
      trustDomain: flags["trust-domain"],
      now: machine.clock.now(),
      ...(services.length > 0 && { services }),
    });
    const names = model.services.map(({ name }) => name);
    const [issued, expires] = [instantText(manifest.issued), instantText(manifest.expires)];
    output.result(
      [
        `good: serial ${ref.serial}, digest ${ref.digest.slice(0, 16)}`,
        `signed by ${signedBy.map((id) => id.slice(0, 16)).join(", ")}`,
        `from ${issued} until ${expires}`,
        `${policies.size} policies for ${names.join(", ")}`,
      ].join("\n"),
      { ...ref, signedBy, issued, expires, policies: policies.size, services: names },
    );
    return EXIT.ok;
  },
});
