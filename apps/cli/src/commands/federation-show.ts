import { TrustDomain } from "@bonafide/proto/spire/api/server/trustdomain/v1/trustdomain_pb";
import { type Command, defineCommand } from "../arguments/command.ts";
import { connectServer, SOCKET_FLAG } from "../clients/connect-server.ts";
import { EXIT } from "../exit-codes.ts";
import { relationshipJson, relationshipText } from "../federation/relationship.ts";

/** `bonafide federation show` */
export const federationShow: Command = defineCommand({
  name: "federation show",
  summary: "says how one trust domain's bundle is fetched",
  flags: {
    ...SOCKET_FLAG,
    "trust-domain": {
      kind: "string",
      required: true,
      help: "whose bundle it is",
      placeholder: "NAME",
      spire: "trustDomain",
    },
  },
  examples: ["bonafide federation show --trust-domain other.org"],
  async run({ flags, env, output, signal }) {
    using server = connectServer(flags.socket, env);
    const request = { trustDomain: flags["trust-domain"] };
    const found = await server.client(TrustDomain).getFederationRelationship(request, { signal });
    output.result(relationshipText(found), relationshipJson(found));
    return EXIT.ok;
  },
});
