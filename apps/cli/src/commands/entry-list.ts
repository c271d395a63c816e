import { Entries } from "@bonafide/proto/bonafide/admin/v1/entries_pb";
import { type Command, defineCommand } from "../arguments/command.ts";
import { allPages } from "../clients/all-pages.ts";
import { connectServer, SOCKET_FLAG } from "../clients/connect-server.ts";
import { selectorOf } from "../clients/selector-flag.ts";
import { wireId } from "../clients/spiffe-id-flag.ts";
import { EXIT } from "../exit-codes.ts";
import { table } from "../output.ts";
import { entryJson, type OwnedEntry } from "../render/entry.ts";
import { idText } from "../render/spiffe-id.ts";

/** `bonafide entry list` */
export const entryList: Command = defineCommand({
  name: "entry list",
  summary: "lists registration entries",
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
    owner: { kind: "string", help: "only of this owner" },
  },
  examples: ["bonafide entry list", "bonafide entry list --selector unix:uid:1000 --json"],
  async run({ flags, env, output, signal }) {
    using server = connectServer(flags.socket, env);
    const filter = {
      bySelectors: flags.selector.map(selectorOf),
      ...(flags["spiffe-id"] === undefined
        ? {}
        : { bySpiffeId: wireId(flags["spiffe-id"], "--spiffe-id") }),
      ...(flags["parent-id"] === undefined
        ? {}
        : { byParentId: wireId(flags["parent-id"], "--parent-id") }),
      ...(flags.owner === undefined ? {} : { byOwner: flags.owner }),
    };
    const entries: readonly OwnedEntry[] = await allPages(
      (pageToken) => server.client(Entries).listEntries({ pageToken, ...filter }, { signal }),
      (page) =>
        page.entries.flatMap(({ entry, owner, labels }) =>
          entry === undefined ? [] : [{ entry, owner, labels }],
        ),
    );
    const rows = entries.map(({ entry, owner }) => [
      entry.id,
      idText(entry.spiffeId),
      idText(entry.parentId),
      owner,
      entry.selectors.map(({ type, value }) => `${type}:${value}`).join(" "),
    ]);
    output.result(
      rows.length === 0
        ? "no entries"
        : table(["ENTRY", "SPIFFE ID", "PARENT", "OWNER", "SELECTORS"], rows),
      { entries: entries.map(entryJson) },
    );
    return EXIT.ok;
  },
});
