import { existsSync } from "node:fs";
import { elsewhereEntries } from "@bonafide/agent";
import { isBonafideError } from "@bonafide/errors";
import type { ElsewhereEntrySchema } from "@bonafide/proto/bonafide/agent/v1/diagnosis_pb";
import { Agent } from "@bonafide/proto/spire/api/server/agent/v1/agent_pb";
import { Entry } from "@bonafide/proto/spire/api/server/entry/v1/entry_pb";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { idText } from "../render/spiffe-id.ts";
import { allPages } from "./all-pages.ts";
import { connectSocket, type SocketClient } from "./socket-client.ts";
import { serverSocket } from "./sockets.ts";

/** Entries and agents asked for in one page. */
const PAGE = 500;

/**
 * The server's entries for `why`, where the server's admin socket is at hand; none elsewhere: an agent explains what it
 * knows of without them.
 */
export async function serverEntries(
  flag: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
  options: { readonly signal: AbortSignal },
): Promise<MessageInitShape<typeof ElsewhereEntrySchema>[]> {
  const choice = serverSocket(flag, env);
  if (flag !== undefined) return readAll(connectSocket("server", choice), options);
  if (!existsSync(choice.path)) return [];
  try {
    return await readAll(connectSocket("server", choice), options);
  } catch (error) {
    // Not asked for, so a server that is down or not ours to ask costs the answer nothing.
    if (isBonafideError(error)) return [];
    throw error;
  }
}

async function readAll(
  client: SocketClient,
  options: { readonly signal: AbortSignal },
): Promise<MessageInitShape<typeof ElsewhereEntrySchema>[]> {
  using server = client;
  const entries = await allPages(
    (pageToken) => server.client(Entry).listEntries({ pageSize: PAGE, pageToken }, options),
    (page) => page.entries,
  );
  const agents = await allPages(
    (pageToken) => server.client(Agent).listAgents({ pageSize: PAGE, pageToken }, options),
    (page) => page.agents,
  );
  return elsewhereEntries(entries, new Set(agents.map(({ id }) => idText(id))));
}
