import { TrustDomain } from "@bonafide/proto/spire/api/server/trustdomain/v1/trustdomain_pb";
import { type Command, defineCommand } from "../arguments/command.ts";
import { connectServer, SOCKET_FLAG } from "../clients/connect-server.ts";
import { EXIT } from "../exit-codes.ts";
import { ID_FLAG } from "../federation/id-flag.ts";

/** `bonafide federation refresh` */
export const federationRefresh: Command = defineCommand({
  name: "federation refresh",
  summary: "fetches another trust domain's bundle now",
  flags: {
    ...SOCKET_FLAG,
    ...ID_FLAG,
  },
  examples: ["bonafide federation refresh --id other.org"],
  async run({ flags, env, output, signal }) {
    using server = connectServer(flags.socket, env);
    await server.client(TrustDomain).refreshBundle({ trustDomain: flags.id }, { signal });
    output.result(`the bundle of ${flags.id} is fresh`, { trustDomain: flags.id, refreshed: true });
    return EXIT.ok;
  },
});
