import { BonafideError, isBonafideError } from "@bonafide/errors";
import { Agent } from "@bonafide/proto/spire/api/server/agent/v1/agent_pb";
import { Bundle } from "@bonafide/proto/spire/api/server/bundle/v1/bundle_pb";
import { Entry } from "@bonafide/proto/spire/api/server/entry/v1/entry_pb";
import { TrustDomain } from "@bonafide/proto/spire/api/server/trustdomain/v1/trustdomain_pb";
import type { Status } from "@bonafide/proto/spire/api/types/status_pb";
import { STATUS_CODES } from "@bonafide/rpc";
import { type Command, defineCommand } from "../arguments/command.ts";
import { connectServer, SOCKET_FLAG } from "../clients/connect-server.ts";
import type { SocketClient } from "../clients/socket-client.ts";
import { readSpireFile, type SpireFile } from "../clients/spire-file.ts";
import { CLI_ERRORS } from "../errors.ts";
import { EXIT } from "../exit-codes.ts";
import { idText } from "../render/spiffe-id.ts";

/** Items of one call: far below what either server takes. */
const BATCH = 200;

/** What became of the items of one kind. */
interface Tally {
  written: number;
  /** Were there already. */
  there: number;
  readonly failed: { readonly item: string; readonly message: string }[];
}

/** `bonafide import spire` */
export const importSpire: Command = defineCommand({
  name: "import spire",
  summary:
    "gives a server of ours or SPIRE's what `export spire` wrote; what is there already stays as it is",
  usage: "FILE [flags]",
  flags: SOCKET_FLAG,
  operands: { min: 1, max: 1 },
  examples: ["bonafide import spire spire.json"],
  async run({ flags, operands, env, output, signal }) {
    const file = readSpireFile(operands[0] ?? "");
    using server = connectServer(flags.socket, env);
    const { trustDomain } = await server.client(Bundle).getBundle({}, { signal });
    if (trustDomain !== file.trustDomain) {
      const message = `the file is of ${file.trustDomain}, the server of ${trustDomain}`;
      throw new BonafideError(CLI_ERRORS, "IMPORT_INVALID", message);
    }
    // Entries name bundles, so bundles come first.
    const results = {
      bundles: await importBundles(server, file, signal),
      federationRelationships: await importRelationships(server, file, signal),
      entries: await importEntries(server, file, signal),
      bans: await importBans(server, file, signal),
    };
    const lines = Object.entries(results).flatMap(([kind, { written, there, failed }]) => [
      `${kind}: ${written} written, ${there} there already, ${failed.length} not taken`,
      ...failed.map(({ item, message }) => `  ${item}: ${message}`),
    ]);
    output.result(lines.join("\n"), results);
    output.note(
      "nodes join this server anew; entries under a node's old ID wait for a node of that ID",
    );
    const isWhole = Object.values(results).every(({ failed }) => failed.length === 0);
    return isWhole ? EXIT.ok : EXIT.no;
  },
});

function newTally(): Tally {
  return { written: 0, there: 0, failed: [] };
}

function count(tally: Tally, item: string, status: Status | undefined): void {
  if (status?.code === 0) tally.written++;
  else if (status?.code === STATUS_CODES.already_exists) tally.there++;
  else tally.failed.push({ item, message: status?.message ?? "no answer" });
}

function* batches<T>(items: readonly T[]): Generator<T[]> {
  for (let i = 0; i < items.length; i += BATCH) yield items.slice(i, i + BATCH);
}

async function importEntries(
  server: SocketClient,
  { entries }: SpireFile,
  signal: AbortSignal,
): Promise<Tally> {
  const tally = newTally();
  for (const part of batches(entries)) {
    const answer = await server.client(Entry).batchCreateEntry({ entries: part }, { signal });
    for (const [i, { id, spiffeId }] of part.entries()) {
      count(tally, `${id} (${idText(spiffeId)})`, answer.results[i]?.status);
    }
  }
  return tally;
}

async function importBundles(
  server: SocketClient,
  { bundles }: SpireFile,
  signal: AbortSignal,
): Promise<Tally> {
  const tally = newTally();
  for (const part of batches(bundles)) {
    const answer = await server
      .client(Bundle)
      .batchCreateFederatedBundle({ bundle: part }, { signal });
    for (const [i, { trustDomain }] of part.entries()) {
      count(tally, trustDomain, answer.results[i]?.status);
    }
  }
  return tally;
}

async function importRelationships(
  server: SocketClient,
  { relationships }: SpireFile,
  signal: AbortSignal,
): Promise<Tally> {
  const tally = newTally();
  for (const part of batches(relationships)) {
    const answer = await server
      .client(TrustDomain)
      .batchCreateFederationRelationship({ federationRelationships: part }, { signal });
    for (const [i, { trustDomain }] of part.entries()) {
      count(tally, trustDomain, answer.results[i]?.status);
    }
  }
  return tally;
}

/** Over SPIRE's API a node that never attested cannot be banned: of those it is said that they are not. */
async function importBans(
  server: SocketClient,
  { agents }: SpireFile,
  signal: AbortSignal,
): Promise<Tally> {
  const tally = newTally();
  for (const { id, banned } of agents) {
    if (!banned || id === undefined) continue;
    try {
      await server.client(Agent).banAgent({ id }, { signal });
      tally.written++;
    } catch (error) {
      if (!isBonafideError(error) || error.status !== "not_found") throw error;
      const message = "this server knows no such node: ban it again once it has joined";
      tally.failed.push({ item: idText(id), message });
    }
  }
  return tally;
}
