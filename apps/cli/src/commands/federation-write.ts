import { TrustDomain } from "@bonafide/proto/spire/api/server/trustdomain/v1/trustdomain_pb";
import type { FederationRelationship } from "@bonafide/proto/spire/api/types/federationrelationship_pb";
import type { Status } from "@bonafide/proto/spire/api/types/status_pb";
import type { Client } from "@bonafide/rpc";
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
export const federationCreate: Command = writing({
  verb: "create",
  summary: "begins to fetch another trust domain's bundle",
  call: async (client, federationRelationships, options) =>
    (await client.batchCreateFederationRelationship({ federationRelationships }, options)).results,
});

/** `bonafide federation update` */
export const federationUpdate: Command = writing({
  verb: "update",
  summary: "changes how another trust domain's bundle is fetched",
  call: async (client, federationRelationships, options) =>
    (await client.batchUpdateFederationRelationship({ federationRelationships }, options)).results,
});

interface Writing {
  readonly verb: "create" | "update";
  readonly summary: string;
  readonly call: (
    client: Client<typeof TrustDomain>,
    relationships: FederationRelationship[],
    options: { readonly signal: AbortSignal },
  ) => Promise<
    readonly {
      readonly status?: Status | undefined;
      readonly federationRelationship?: FederationRelationship | undefined;
    }[]
  >;
}

function writing({ verb, summary, call }: Writing): Command {
  return defineCommand({
    name: `federation ${verb}`,
    summary,
    flags: { ...SOCKET_FLAG, ...RELATIONSHIP_FLAGS },
    examples: [
      `bonafide federation ${verb} --trust-domain other.org --url https://bundle.other.org/ \\\n` +
        "    --profile https_web",
      `bonafide federation ${verb} --trust-domain other.org --url https://10.0.0.7:8443/ \\\n` +
        "    --profile https_spiffe --endpoint-spiffe-id spiffe://other.org/spire/server \\\n" +
        "    --bundle other.json --format spiffe",
    ],
    async run({ flags, env, output, signal }) {
      const relationship = relationshipOf(flags);
      using server = connectServer(flags.socket, env);
      const [result] = await call(server.client(TrustDomain), [relationship], { signal });
      const written = result?.federationRelationship ?? relationship;
      return itemOutcome(output, result?.status, {
        text: relationshipText(written),
        value: relationshipJson(written),
      });
    },
  });
}
