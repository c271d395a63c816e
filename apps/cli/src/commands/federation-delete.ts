import { TrustDomain } from "@bonafide/proto/spire/api/server/trustdomain/v1/trustdomain_pb";
import { type Command, defineCommand } from "../arguments/command.ts";
import { connectServer, SOCKET_FLAG } from "../clients/connect-server.ts";
import { ID_FLAG } from "../federation/id-flag.ts";
import { itemOutcome } from "../federation/item-outcome.ts";

/** `bonafide federation delete` */
export const federationDelete: Command = defineCommand({
  name: "federation delete",
  summary: "no longer fetches another trust domain's bundle; the bundle itself stays",
  flags: {
    ...SOCKET_FLAG,
    ...ID_FLAG,
  },
  examples: ["bonafide federation delete --id other.org"],
  async run({ flags, env, output, signal }) {
    using server = connectServer(flags.socket, env);
    const request = { trustDomains: [flags.id] };
    const { results } = await server
      .client(TrustDomain)
      .batchDeleteFederationRelationship(request, { signal });
    const outcome = itemOutcome(output, results[0]?.status, {
      text: `the bundle of ${flags.id} is no longer fetched`,
      value: { trustDomain: flags.id, deleted: true },
    });
    output.note(`the bundle that is here stays: bonafide bundle delete --id ${flags.id}`);
    return outcome;
  },
});
