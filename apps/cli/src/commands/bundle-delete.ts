import {
  BatchDeleteFederatedBundleRequest_Mode as Mode,
  Bundle,
} from "@bonafide/proto/spire/api/server/bundle/v1/bundle_pb";
import { type Command, defineCommand } from "../arguments/command.ts";
import { usage } from "../arguments/parse-flags.ts";
import { connectServer, SOCKET_FLAG } from "../clients/connect-server.ts";
import { ID_FLAG } from "../federation/id-flag.ts";
import { itemOutcome } from "../federation/item-outcome.ts";

const MODES: ReadonlyMap<string, Mode> = new Map([
  ["restrict", Mode.RESTRICT],
  ["delete", Mode.DELETE],
  ["dissociate", Mode.DISSOCIATE],
]);

/** `bonafide bundle delete` */
export const bundleDelete: Command = defineCommand({
  name: "bundle delete",
  summary: "deletes another trust domain's bundle: nobody of it is believed any more",
  flags: {
    ...SOCKET_FLAG,
    ...ID_FLAG,
    mode: {
      kind: "string",
      help: "what becomes of entries that federate with it: restrict (they keep it), delete or dissociate",
      spire: "mode",
      standard: "restrict",
    },
  },
  examples: ["bonafide bundle delete --id other.org --mode dissociate"],
  async run({ flags, env, output, signal }) {
    const mode = MODES.get(flags.mode ?? "restrict");
    if (mode === undefined) throw usage(`--mode is ${[...MODES.keys()].join(", ")}`);
    using server = connectServer(flags.socket, env);
    const request = { trustDomains: [flags.id], mode };
    const { results } = await server.client(Bundle).batchDeleteFederatedBundle(request, { signal });
    return itemOutcome(output, results[0]?.status, {
      text: `the bundle of ${flags.id} is deleted`,
      value: { trustDomain: flags.id, deleted: true },
    });
  },
});
