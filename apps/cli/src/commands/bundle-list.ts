import { formatPem } from "@bonafide/pki";
import { Bundle } from "@bonafide/proto/spire/api/server/bundle/v1/bundle_pb";
import { formatSpiffeBundle } from "@bonafide/spiffe";
import { type Command, defineCommand } from "../arguments/command.ts";
import { allPages } from "../clients/all-pages.ts";
import { connectServer, SOCKET_FLAG } from "../clients/connect-server.ts";
import { EXIT } from "../exit-codes.ts";
import { bundleFormat, spiffeBundleOf } from "../federation/bundle-file.ts";

/** Bundles are at most 256 KiB, and a message 4 MiB. */
const PAGE = 10;

/** `bonafide bundle list` */
export const bundleList: Command = defineCommand({
  name: "bundle list",
  summary: "prints the bundles of other trust domains",
  flags: {
    ...SOCKET_FLAG,
    id: {
      kind: "string",
      help: "of this trust domain alone",
      placeholder: "TRUST-DOMAIN",
      spire: "id",
    },
    format: { kind: "string", help: "pem or spiffe", spire: "format", standard: "pem" },
  },
  examples: ["bonafide bundle list", "bonafide bundle list --id other.org --format spiffe"],
  async run({ flags, env, output, signal }) {
    const format = bundleFormat(flags.format, "--format");
    using server = connectServer(flags.socket, env);
    const client = server.client(Bundle);
    const { id: trustDomain } = flags;
    const found =
      trustDomain === undefined
        ? await allPages(
            (pageToken) => client.listFederatedBundles({ pageSize: PAGE, pageToken }, { signal }),
            ({ bundles }) => bundles,
          )
        : [await client.getFederatedBundle({ trustDomain }, { signal })];
    const bundles = found.map((wire) => {
      const bundle = spiffeBundleOf(wire);
      return {
        trustDomain: bundle.trustDomain,
        sequence: String(wire.sequenceNumber),
        pem: bundle.x509.authorities.map(({ der }) => formatPem("CERTIFICATE", der)).join(""),
        spiffe: formatSpiffeBundle(bundle),
      };
    });
    // One document by itself is what can be piped to another server.
    const text = bundles.map((bundle) =>
      trustDomain === undefined
        ? `# ${bundle.trustDomain}\n${bundle[format].trimEnd()}`
        : bundle[format].trimEnd(),
    );
    output.result(text.length === 0 ? "no bundle of another trust domain" : text.join("\n\n"), {
      bundles,
    });
    return EXIT.ok;
  },
});
