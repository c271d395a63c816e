import { Entries } from "@bonafide/proto/bonafide/admin/v1/entries_pb";
import { Entry } from "@bonafide/proto/spire/api/server/entry/v1/entry_pb";
import type { EntryMaskSchema } from "@bonafide/proto/spire/api/types/entry_pb";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { type Command, defineCommand } from "../arguments/command.ts";
import { usage } from "../arguments/parse-flags.ts";
import { connectServer, SOCKET_FLAG } from "../clients/connect-server.ts";
import { ENTRY_DETAIL_FLAGS, entryDetails } from "../clients/entry-flags.ts";
import { itemError } from "../clients/item-error.ts";
import { selectorOf } from "../clients/selector-flag.ts";
import { wireId } from "../clients/spiffe-id-flag.ts";
import { EXIT } from "../exit-codes.ts";
import { entryJson, entryText } from "../render/entry.ts";

/** What each flag changes of an entry. */
const FIELDS = {
  "spiffe-id": "spiffeId",
  "parent-id": "parentId",
  selector: "selectors",
  ttl: "x509SvidTtl",
  "jwt-ttl": "jwtSvidTtl",
  "dns-name": "dnsNames",
  "federates-with": "federatesWith",
  hint: "hint",
  admin: "admin",
  downstream: "downstream",
  "store-svid": "storeSvid",
  "expires-at": "expiresAt",
} as const satisfies Readonly<Record<string, keyof MessageInitShape<typeof EntryMaskSchema>>>;

/** Those that an entry can do without. */
const CLEARABLE = new Set<string>(Object.keys(ENTRY_DETAIL_FLAGS));

/** `bonafide entry update` */
export const entryUpdate: Command = defineCommand({
  name: "entry update",
  summary: "changes what is given of an entry, and nothing else",
  usage: "ENTRY-ID [flags]",
  flags: {
    ...SOCKET_FLAG,
    "entry-id": { kind: "string", help: "same as the operand", spire: "entryID" },
    "spiffe-id": { kind: "string", help: "the identity", placeholder: "ID", spire: "spiffeID" },
    "parent-id": { kind: "string", help: "whose it is", placeholder: "ID", spire: "parentID" },
    selector: {
      kind: "string",
      repeated: true,
      help: "all selectors from now on",
      placeholder: "TYPE:VALUE",
      spire: "selector",
    },
    ...ENTRY_DETAIL_FLAGS,
    clear: {
      kind: "string",
      repeated: true,
      help: `takes away what one of these flags gave: ${[...CLEARABLE].join(", ")}`,
      placeholder: "FLAG",
    },
  },
  operands: { min: 0, max: 1 },
  examples: [
    "bonafide entry update 0d2c1b1e-8a3e-4b60-93a5-0f0f3bb0f7c5 --ttl 30m",
    "bonafide entry update 0d2c1b1e-8a3e-4b60-93a5-0f0f3bb0f7c5 --clear dns-name --clear admin",
  ],
  async run({ flags, operands, env, output, signal }) {
    const id = operands[0] ?? flags["entry-id"];
    if (id === undefined) throw usage("which entry? bonafide entry update ENTRY-ID");
    const inputMask = maskOf(flags);
    if (Object.keys(inputMask).length === 0) throw usage("nothing is to be changed; give a flag");
    using server = connectServer(flags.socket, env);
    const { results } = await server.client(Entry).batchUpdateEntry(
      {
        inputMask,
        entries: [
          {
            id,
            ...(flags["spiffe-id"] === undefined
              ? {}
              : { spiffeId: wireId(flags["spiffe-id"], "--spiffe-id") }),
            ...(flags["parent-id"] === undefined
              ? {}
              : { parentId: wireId(flags["parent-id"], "--parent-id") }),
            selectors: flags.selector.map(selectorOf),
            ...entryDetails(flags),
          },
        ],
      },
      { signal },
    );
    const [result] = results;
    const fault = itemError(result?.status);
    if (fault !== undefined) throw fault;
    // Read again, for the owner and labels that SPIRE's answer has no place for.
    const { entry: owned } = await server.client(Entries).getEntry({ id }, { signal });
    if (owned?.entry === undefined) return EXIT.no;
    const { entry, owner, labels } = owned;
    output.result(entryText({ entry, owner, labels }), entryJson({ entry, owner, labels }));
    return EXIT.ok;
  },
});

/** @throws USAGE  a flag that cannot be cleared, or is given and cleared at once */
function maskOf(
  flags: Readonly<Record<keyof typeof FIELDS, unknown>> & { readonly clear: readonly string[] },
): Record<string, boolean> {
  const mask: Record<string, boolean> = {};
  for (const [flag, field] of Object.entries(FIELDS)) {
    if (isGiven(Reflect.get(flags, flag))) mask[field] = true;
  }
  for (const flag of flags.clear) {
    if (!CLEARABLE.has(flag))
      throw usage(`--clear takes ${[...CLEARABLE].join(", ")}, not ${flag}`);
    const field = new Map<string, string>(Object.entries(FIELDS)).get(flag) ?? "";
    if (mask[field] === true) throw usage(`--${flag} is given and cleared at once`);
    mask[field] = true;
  }
  return mask;
}

function isGiven(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false;
}
