import { Bundle } from "@bonafide/proto/spire/api/server/bundle/v1/bundle_pb";
import { type Command, defineCommand } from "../arguments/command.ts";
import { connectServer, SOCKET_FLAG } from "../clients/connect-server.ts";
import { bundleFormat, readBundleFile } from "../federation/bundle-file.ts";
import { ID_FLAG } from "../federation/id-flag.ts";
import { itemOutcome } from "../federation/item-outcome.ts";

/** `bonafide bundle set` */
export const bundleSet: Command = defineCommand({
  name: "bundle set",
  summary: "keeps another trust domain's bundle, in place of the one that may be there",
  flags: {
    ...SOCKET_FLAG,
    ...ID_FLAG,
    path: {
      kind: "string",
      help: "file that holds it",
      placeholder: "FILE",
      spire: "path",
      standard: "standard input",
    },
    format: { kind: "string", help: "pem or spiffe", spire: "format", standard: "pem" },
  },
  examples: ["bonafide bundle set --id other.org --path other.json --format spiffe"],
  async run({ flags, env, output, signal }) {
    const format = bundleFormat(flags.format, "--format");
    const bundle = readBundleFile(flags.path ?? "-", format, flags.id);
    using server = connectServer(flags.socket, env);
    const request = { bundle: [bundle] };
    const { results } = await server.client(Bundle).batchSetFederatedBundle(request, { signal });
    const [result] = results;
    const sequence = String(result?.bundle?.sequenceNumber ?? 0);
    return itemOutcome(output, result?.status, {
      text: `the bundle of ${bundle.trustDomain} is set`,
      value: { trustDomain: bundle.trustDomain, sequence },
    });
  },
});
