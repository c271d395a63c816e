import { Agent } from "@bonafide/proto/spire/api/server/agent/v1/agent_pb";
import { type Command, defineCommand } from "../arguments/command.ts";
import { formatDurationMs } from "../arguments/duration.ts";
import { connectServer, SOCKET_FLAG } from "../clients/connect-server.ts";
import { wireId } from "../clients/spiffe-id-flag.ts";
import { EXIT } from "../exit-codes.ts";

const TTL_MS = 600_000;

/** `bonafide token create` */
export const tokenCreate: Command = defineCommand({
  name: "token create",
  summary: "makes a join token, with which one agent may join once",
  flags: {
    ...SOCKET_FLAG,
    ttl: { kind: "duration", help: "how long it is good", spire: "ttl", standard: "10m" },
    "spiffe-id": {
      kind: "string",
      help: "an ID the node shall also be known by, for entries to be parented to",
      placeholder: "ID",
      spire: "spiffeID",
    },
  },
  examples: [
    "bonafide token create",
    "bonafide token create --ttl 1h --spiffe-id spiffe://example.org/rack-7",
  ],
  async run({ flags, env, output, signal }) {
    const ttlMs = flags.ttl ?? TTL_MS;
    using server = connectServer(flags.socket, env);
    const token = await server.client(Agent).createJoinToken(
      {
        ttl: Math.ceil(ttlMs / 1000),
        ...(flags["spiffe-id"] === undefined
          ? {}
          : { agentId: wireId(flags["spiffe-id"], "--spiffe-id") }),
      },
      { signal },
    );
    output.result(token.value, { token: token.value, expiresAt: Number(token.expiresAt) });
    output.note(
      `good for one agent, for ${formatDurationMs(ttlMs)}: bonafide agent run --join-token-file FILE`,
    );
    return EXIT.ok;
  },
});
