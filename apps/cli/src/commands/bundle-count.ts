import { Bundle } from "@bonafide/proto/spire/api/server/bundle/v1/bundle_pb";
import { type Command, defineCommand } from "../arguments/command.ts";
import { connectServer, SOCKET_FLAG } from "../clients/connect-server.ts";
import { EXIT } from "../exit-codes.ts";

/** `bonafide bundle count` */
export const bundleCount: Command = defineCommand({
  name: "bundle count",
  summary: "says how many bundles there are, the own one included",
  flags: SOCKET_FLAG,
  examples: ["bonafide bundle count"],
  async run({ flags, env, output, signal }) {
    using server = connectServer(flags.socket, env);
    const { count } = await server.client(Bundle).countBundles({}, { signal });
    output.result(String(count), { count });
    return EXIT.ok;
  },
});
