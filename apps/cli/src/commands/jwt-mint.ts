import { SVID } from "@bonafide/proto/spire/api/server/svid/v1/svid_pb";
import { type Command, defineCommand } from "../arguments/command.ts";
import { formatDurationMs } from "../arguments/duration.ts";
import { connectServer, SOCKET_FLAG } from "../clients/connect-server.ts";
import { wireId } from "../clients/spiffe-id-flag.ts";
import { EXIT } from "../exit-codes.ts";

/** `bonafide jwt mint` */
export const jwtMint: Command = defineCommand({
  name: "jwt mint",
  summary: "has a JWT-SVID signed for any workload of the trust domain, without an entry",
  flags: {
    ...SOCKET_FLAG,
    "spiffe-id": {
      kind: "string",
      help: "whose token it is",
      placeholder: "ID",
      required: true,
      spire: "spiffeID",
    },
    audience: {
      kind: "string",
      help: "for whom it is",
      placeholder: "TEXT",
      required: true,
      spire: "audience",
    },
    ttl: { kind: "duration", help: "how long it is good; default the server's", spire: "ttl" },
  },
  examples: [
    "bonafide jwt mint --spiffe-id spiffe://example.org/web --audience spiffe://example.org/db",
  ],
  async run({ flags, env, output, signal }) {
    using server = connectServer(flags.socket, env);
    const { svid } = await server.client(SVID).mintJWTSVID(
      {
        id: wireId(flags["spiffe-id"], "--spiffe-id"),
        audience: [flags.audience],
        ttl: Math.ceil((flags.ttl ?? 0) / 1000),
      },
      { signal },
    );
    const { token = "", expiresAt = 0n } = svid ?? {};
    output.result(token, { token, expiresAt: Number(expiresAt) });
    output.note(`good for ${formatDurationMs(Number(expiresAt) * 1000 - Date.now())}`);
    return EXIT.ok;
  },
});
