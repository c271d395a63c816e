import { Bundle } from "@bonafide/proto/spire/api/server/bundle/v1/bundle_pb";
import { Entry } from "@bonafide/proto/spire/api/server/entry/v1/entry_pb";
import { TrustDomain } from "@bonafide/proto/spire/api/server/trustdomain/v1/trustdomain_pb";
import { type Command, defineCommand } from "../arguments/command.ts";
import { allPages } from "../clients/all-pages.ts";
import { connectServer, SOCKET_FLAG } from "../clients/connect-server.ts";
import { listAgents } from "../clients/list-agents.ts";
import { formatSpireFile } from "../clients/spire-file.ts";
import { EXIT } from "../exit-codes.ts";
import { openFreshFile } from "../process/fresh-file.ts";

const PAGE_SIZE = 500;

/** `bonafide export spire` */
export const exportSpire: Command = defineCommand({
  name: "export spire",
  summary:
    "writes entries, nodes, bans and federation of a server that speaks SPIRE's API, ours or SPIRE's own",
  usage: "FILE [flags]",
  flags: SOCKET_FLAG,
  operands: { min: 1, max: 1 },
  examples: [
    "bonafide export spire spire.json --socket /tmp/spire-server/private/api.sock",
    "bonafide export spire bonafide.json",
  ],
  async run({ flags, operands, env, output, signal }) {
    const [path = ""] = operands;
    using server = connectServer(flags.socket, env);
    const { trustDomain } = await server.client(Bundle).getBundle({}, { signal });
    const entries = await allPages(
      (pageToken) =>
        server.client(Entry).listEntries({ pageSize: PAGE_SIZE, pageToken }, { signal }),
      (answer) => answer.entries,
    );
    const agents = await listAgents(server, undefined, { signal });
    const bundles = await allPages(
      (pageToken) =>
        server.client(Bundle).listFederatedBundles({ pageSize: PAGE_SIZE, pageToken }, { signal }),
      (answer) => answer.bundles,
    );
    const relationships = await allPages(
      (pageToken) =>
        server
          .client(TrustDomain)
          .listFederationRelationships({ pageSize: PAGE_SIZE, pageToken }, { signal }),
      (answer) => answer.federationRelationships,
    );
    using file = openFreshFile(path, 0o600);
    file.write(formatSpireFile({ trustDomain, entries, agents, bundles, relationships }));
    file.finish();
    const counts = {
      entries: entries.length,
      agents: agents.length,
      banned: agents.filter(({ banned }) => banned).length,
      bundles: bundles.length,
      federationRelationships: relationships.length,
    };
    output.result(
      `${counts.entries} entries, ${counts.agents} nodes (${counts.banned} banned), ${counts.bundles} bundles and ` +
        `${counts.federationRelationships} federation relationships of ${trustDomain} written to ${path}`,
      { file: path, trustDomain, ...counts },
    );
    return EXIT.ok;
  },
});
