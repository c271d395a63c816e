import { TrustDomain } from "@bonafide/proto/spire/api/server/trustdomain/v1/trustdomain_pb";
import { type Command, defineCommand } from "../arguments/command.ts";
import { allPages } from "../clients/all-pages.ts";
import { connectServer, SOCKET_FLAG } from "../clients/connect-server.ts";
import { EXIT } from "../exit-codes.ts";
import { relationshipJson, relationshipText } from "../federation/relationship.ts";

/** Bundles are at most 256 KiB, and a message 4 MiB. */
const PAGE = 10;

/** `bonafide federation list` */
export const federationList: Command = defineCommand({
  name: "federation list",
  summary: "lists whose bundles are fetched, and from where",
  flags: SOCKET_FLAG,
  examples: ["bonafide federation list"],
  async run({ flags, env, output, signal }) {
    using server = connectServer(flags.socket, env);
    const client = server.client(TrustDomain);
    const found = await allPages(
      (pageToken) => client.listFederationRelationships({ pageSize: PAGE, pageToken }, { signal }),
      ({ federationRelationships }) => federationRelationships,
    );
    output.result(
      found.length === 0
        ? "no federation relationships"
        : found.map((one) => relationshipText(one)).join("\n\n"),
      { relationships: found.map((one) => relationshipJson(one)) },
    );
    return EXIT.ok;
  },
});
