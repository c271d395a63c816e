import { withRecoveryKey } from "@bonafide/agent";
import { parseCertificate, formatPem } from "@bonafide/pki";
import { Bundle } from "@bonafide/proto/spire/api/server/bundle/v1/bundle_pb";
import { formatSpiffeBundle } from "@bonafide/spiffe";
import { type Command, defineCommand } from "../arguments/command.ts";
import { usage } from "../arguments/parse-flags.ts";
import { connectServer, SOCKET_FLAG } from "../clients/connect-server.ts";
import { fetchRecoveryKey } from "../clients/fetch-recovery-key.ts";
import { EXIT } from "../exit-codes.ts";
import { spiffeBundleOf } from "../federation/bundle-file.ts";

/** `bonafide bundle show` */
export const bundleShow: Command = defineCommand({
  name: "bundle show",
  summary: "prints the trust bundle: what agents and other domains verify us by",
  flags: {
    ...SOCKET_FLAG,
    format: {
      kind: "string",
      help: "pem, spiffe or recovery-key",
      spire: "format",
      standard: "pem",
    },
  },
  examples: [
    "bonafide bundle show > bundle.pem",
    "bonafide bundle show --format spiffe > bundle.json",
    "bonafide bundle show --format recovery-key",
  ],
  async run({ flags, env, output, signal }) {
    const format = flags.format ?? "pem";
    if (!isFormat(format)) throw usage(`--format is ${FORMATS.join(", ")}`);
    using server = connectServer(flags.socket, env);
    const bundle = await server.client(Bundle).getBundle({}, { signal });
    const authorities = bundle.x509Authorities.map(({ asn1 }) => parseCertificate(asn1));
    const document = formatSpiffeBundle(spiffeBundleOf(bundle));
    const certificates = authorities.map(({ der }) => formatPem("CERTIFICATE", der)).join("");
    const key = await fetchRecoveryKey(server, { signal });
    const withKey = (text: string): string =>
      key === undefined ? text : withRecoveryKey(text, key);
    const [pem, spiffe] = [withKey(certificates), withKey(document)];
    const recoveryKey = key === undefined ? "" : Buffer.from(key).toString("base64");
    const texts = { pem, spiffe, "recovery-key": recoveryKey };
    output.result(texts[format].trimEnd(), {
      trustDomain: bundle.trustDomain,
      sequence: String(bundle.sequenceNumber),
      pem,
      spiffe,
      recoveryKey,
    });
    return EXIT.ok;
  },
});

const FORMATS = ["pem", "spiffe", "recovery-key"] as const;

function isFormat(text: string): text is (typeof FORMATS)[number] {
  return FORMATS.some((format) => format === text);
}
