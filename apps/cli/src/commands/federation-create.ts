import { TrustDomain } from "@bonafide/proto/spire/api/server/trustdomain/v1/trustdomain_pb";
import { type Command, defineCommand } from "../arguments/command.ts";
import { connectServer, SOCKET_FLAG } from "../clients/connect-server.ts";
import { itemOutcome } from "../federation/item-outcome.ts";
import {
  RELATIONSHIP_FLAGS,
  relationshipJson,
  relationshipOf,
  relationshipText,
} from "../federation/relationship.ts";

/** `bonafide federation create` */
export const federationCreate: Command = defineCommand({
  name: "federation create",
  summary: "begins to fetch another trust domain's bundle",
  flags: { ...SOCKET_FLAG, ...RELATIONSHIP_FLAGS },
  examples: [
    "bonafide federation create --trust-domain other.org --url https://bundle.other.org/ \\\n" +
      "    --profile https_web",
    "bonafide federation create --trust-domain other.org --url https://10.0.0.7:8443/ \\\n" +
      "    --profile https_spiffe --endpoint-spiffe-id spiffe://other.org/spire/server \\\n" +
      "    --bundle other.json --format spiffe",
  ],
  async run({ flags, env, output, signal }) {
    const relationship = relationshipOf(flags);
    using server = connectServer(flags.socket, env);
    const { results } = await server
      .client(TrustDomain)
      .batchCreateFederationRelationship({ federationRelationships: [relationship] }, { signal });
    const [result] = results;
    const written = result?.federationRelationship ?? relationship;
    return itemOutcome(output, result?.status, {
      text: relationshipText(written),
      value: relationshipJson(written),
    });
  },
});
