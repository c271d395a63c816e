import { Entries } from "@bonafide/proto/bonafide/admin/v1/entries_pb";
import { type Command, defineCommand } from "../arguments/command.ts";
import { usage } from "../arguments/parse-flags.ts";
import { connectServer, SOCKET_FLAG } from "../clients/connect-server.ts";
import { ENTRY_DETAIL_FLAGS, entryDetails } from "../clients/entry-flags.ts";
import { checkKind, foreignTypes, selectorOf } from "../clients/selector-flag.ts";
import { wireId } from "../clients/spiffe-id-flag.ts";
import { EXIT } from "../exit-codes.ts";
import { entryJson, entryText } from "../render/entry.ts";
import { previewJson, previewText } from "../render/preview.ts";

/** `bonafide entry create` */
export const entryCreate: Command = defineCommand({
  name: "entry create",
  summary: "says which processes, on which node, get an identity",
  flags: {
    ...SOCKET_FLAG,
    "spiffe-id": {
      kind: "string",
      required: true,
      help: "the identity",
      placeholder: "ID",
      spire: "spiffeID",
    },
    "parent-id": {
      kind: "string",
      help: "the agent's ID, an alias of it, or spiffe://TD/spire/server for a node alias",
      placeholder: "ID",
      spire: "parentID",
    },
    node: {
      kind: "boolean",
      help: "names nodes: the parent is the server, the selectors are what attested them",
      spire: "node",
    },
    selector: {
      kind: "string",
      repeated: true,
      help: "what must hold of the process; all of them",
      placeholder: "TYPE:VALUE",
      spire: "selector",
    },
    "any-selector": {
      kind: "boolean",
      help: "take selectors of kinds that no agent is known to observe",
    },
    "entry-id": { kind: "string", help: "an ID of your choice", spire: "entryID" },
    ...ENTRY_DETAIL_FLAGS,
    owner: { kind: "string", help: "who answers for it" },
    label: { kind: "string", repeated: true, help: "a label", placeholder: "KEY=VALUE" },
    "dry-run": {
      kind: "boolean",
      help: "judge it, say which nodes would gain it and what it duplicates or shadows; write nothing",
    },
  },
  examples: [
    "bonafide entry create --spiffe-id spiffe://example.org/web \\\n" +
      "    --parent-id spiffe://example.org/rack-7 --selector unix:uid:1000",
    "bonafide entry create --dry-run --spiffe-id spiffe://example.org/web \\\n" +
      "    --parent-id spiffe://example.org/rack-7 --selector unix:uid:1000",
  ],
  async run({ flags, env, output, signal }) {
    if (flags.selector.length === 0) throw usage("at least one --selector is required");
    const selectors = flags.selector.map(selectorOf);
    const spiffeId = wireId(flags["spiffe-id"], "--spiffe-id");
    const parentId = parentOf(flags, spiffeId.trustDomain);
    // What stands under the server's own ID names nodes, by what attested them.
    const isOfProcesses = parentId.path !== "/spire/server";
    if (isOfProcesses && !flags["any-selector"]) for (const given of selectors) checkKind(given);
    using server = connectServer(flags.socket, env);
    const {
      entry: owned,
      warnings,
      preview,
    } = await server.client(Entries).createEntry(
      {
        dryRun: flags["dry-run"],
        entry: {
          owner: flags.owner ?? "",
          labels: Object.fromEntries(flags.label.map(labelOf)),
          entry: {
            id: flags["entry-id"] ?? "",
            spiffeId,
            parentId,
            selectors,
            ...entryDetails(flags),
          },
        },
      },
      { signal },
    );
    if (owned?.entry !== undefined) {
      const { entry, owner, labels } = owned;
      const would = preview === undefined ? undefined : previewJson(preview);
      const texts = [
        entryText({ entry, owner, labels }),
        ...(would === undefined ? [] : [previewText(would)]),
      ];
      output.result(texts.join("\n"), {
        ...entryJson({ entry, owner, labels }),
        warnings: warnings.map(({ code, text }) => ({ code, text })),
        ...(would === undefined ? {} : { preview: would }),
      });
    }
    if (flags["dry-run"]) output.note("dry run: nothing was written");
    for (const type of isOfProcesses ? foreignTypes(selectors) : []) {
      output.note(
        `note: agents of Bonafide observe no ${type} selectors; others, such as SPIRE's, do`,
      );
    }
    for (const warning of warnings) output.note(`warning: ${warning.text} (${warning.code})`);
    return EXIT.ok;
  },
});

/** @throws USAGE  neither given, or both */
function parentOf(
  flags: { readonly "parent-id": string | undefined; readonly node: boolean },
  trustDomain: string,
): ReturnType<typeof wireId> {
  const text = flags["parent-id"];
  if ((text === undefined) === flags.node) return parent(text, trustDomain);
  throw usage(
    flags.node ? "--node and --parent-id exclude each other" : "--parent-id is required, or --node",
  );
}

function parent(text: string | undefined, trustDomain: string): ReturnType<typeof wireId> {
  return text === undefined ? { trustDomain, path: "/spire/server" } : wireId(text, "--parent-id");
}

function labelOf(text: string): readonly [string, string] {
  const equals = text.indexOf("=");
  if (equals < 1) throw usage(`a label is KEY=VALUE, not ${text}`);
  return [text.slice(0, equals), text.slice(equals + 1)];
}
