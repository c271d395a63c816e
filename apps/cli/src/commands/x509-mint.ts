import { resolve } from "node:path";
import { createCsr, encodePrivateKey, formatPem, generateKey, keySigner } from "@bonafide/pki";
import { Bundle } from "@bonafide/proto/spire/api/server/bundle/v1/bundle_pb";
import { SVID } from "@bonafide/proto/spire/api/server/svid/v1/svid_pb";
import { type Command, defineCommand } from "../arguments/command.ts";
import { formatDurationMs } from "../arguments/duration.ts";
import { connectServer, SOCKET_FLAG } from "../clients/connect-server.ts";
import { wireId } from "../clients/spiffe-id-flag.ts";
import { writeSvidFiles } from "../clients/svid-files.ts";
import { EXIT } from "../exit-codes.ts";
import { idText } from "../render/spiffe-id.ts";

/** `bonafide x509 mint` */
export const x509Mint: Command = defineCommand({
  name: "x509 mint",
  summary: "has an X509-SVID signed for any workload of the trust domain, without an entry",
  flags: {
    ...SOCKET_FLAG,
    "spiffe-id": {
      kind: "string",
      help: "whose SVID it is",
      placeholder: "ID",
      required: true,
      spire: "spiffeID",
    },
    "dns-name": { kind: "string", repeated: true, help: "DNS name in the SVID", spire: "dns" },
    ttl: { kind: "duration", help: "how long it is good; default the server's", spire: "ttl" },
    write: {
      kind: "string",
      help: "folder to write svid.pem, key.pem and bundle.pem to; else all are printed",
      placeholder: "DIR",
      spire: "write",
    },
  },
  examples: [
    "bonafide x509 mint --spiffe-id spiffe://example.org/router-3 --ttl 12h --write /run/router-3",
  ],
  async run({ flags, env, output, signal }) {
    const id = wireId(flags["spiffe-id"], "--spiffe-id");
    using server = connectServer(flags.socket, env);
    // The key is made here and stays here.
    const key = generateKey("ec-p256");
    const csr = createCsr(keySigner(key.privateKey), {
      uris: [idText(id)],
      dnsNames: flags["dns-name"],
    });
    const { svid } = await server
      .client(SVID)
      .mintX509SVID({ csr, ttl: Math.ceil((flags.ttl ?? 0) / 1000) }, { signal });
    const { x509Authorities } = await server.client(Bundle).getBundle({}, { signal });
    const { certChain = [], expiresAt = 0n } = svid ?? {};
    const pem = {
      svid: certChain.map((der) => formatPem("CERTIFICATE", der)).join(""),
      key: formatPem("PRIVATE KEY", encodePrivateKey(key.privateKey)),
      bundle: x509Authorities.map(({ asn1 }) => formatPem("CERTIFICATE", asn1)).join(""),
    };
    const facts = { spiffeId: idText(svid?.id), expiresAt: Number(expiresAt) };
    if (flags.write === undefined) {
      output.result(`${pem.svid}${pem.key}${pem.bundle}`.trimEnd(), { ...facts, ...pem });
    } else {
      const written = writeSvidFiles(resolve(flags.write), pem);
      output.result(written.join("\n"), { ...facts, written });
    }
    output.note(`good for ${formatDurationMs(Number(expiresAt) * 1000 - Date.now())}`);
    return EXIT.ok;
  },
});
