import { Entry } from "@bonafide/proto/spire/api/server/entry/v1/entry_pb";
import { SelectorMatch_MatchBehavior as Match } from "@bonafide/proto/spire/api/types/selector_pb";
import { type Command, defineCommand } from "../arguments/command.ts";
import { connectServer, SOCKET_FLAG } from "../clients/connect-server.ts";
import { selectorOf } from "../clients/selector-flag.ts";
import { wireId } from "../clients/spiffe-id-flag.ts";
import { EXIT } from "../exit-codes.ts";

/** `bonafide entry count` */
export const entryCount: Command = defineCommand({
  name: "entry count",
  summary: "says how many registration entries there are",
  flags: {
    ...SOCKET_FLAG,
    "spiffe-id": { kind: "string", help: "only of this ID", placeholder: "ID", spire: "spiffeID" },
    "parent-id": {
      kind: "string",
      help: "only under this parent",
      placeholder: "ID",
      spire: "parentID",
    },
    selector: {
      kind: "string",
      repeated: true,
      help: "only those that ask for all of these",
      placeholder: "TYPE:VALUE",
      spire: "selector",
    },
    hint: { kind: "string", help: "only with this hint", spire: "hint" },
    downstream: { kind: "boolean", help: "only nested servers", spire: "downstream" },
  },
  examples: ["bonafide entry count", "bonafide entry count --selector unix:uid:1000"],
  async run({ flags, env, output, signal }) {
    const filter = {
      ...(flags["spiffe-id"] === undefined
        ? {}
        : { bySpiffeId: wireId(flags["spiffe-id"], "--spiffe-id") }),
      ...(flags["parent-id"] === undefined
        ? {}
        : { byParentId: wireId(flags["parent-id"], "--parent-id") }),
      ...(flags.selector.length === 0
        ? {}
        : {
            bySelectors: {
              selectors: flags.selector.map(selectorOf),
              match: Match.MATCH_SUPERSET,
            },
          }),
      ...(flags.hint === undefined ? {} : { byHint: flags.hint }),
      ...(flags.downstream ? { byDownstream: true } : {}),
    };
    using server = connectServer(flags.socket, env);
    const { count } = await server.client(Entry).countEntries({ filter }, { signal });
    output.result(String(count), { count });
    return EXIT.ok;
  },
});
