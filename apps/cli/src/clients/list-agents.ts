import { Agent } from "@bonafide/proto/spire/api/server/agent/v1/agent_pb";
import type { Agent as WireAgent } from "@bonafide/proto/spire/api/types/agent_pb";
import type { AgentFilter } from "./agent-filter.ts";
import { allPages } from "./all-pages.ts";
import type { SocketClient } from "./socket-client.ts";

const PAGE_SIZE = 500;

/** Every node that fits, page by page. */
export function listAgents(
  server: SocketClient,
  filter: AgentFilter | undefined,
  options: { readonly signal: AbortSignal },
): Promise<WireAgent[]> {
  return allPages(
    (pageToken) =>
      server.client(Agent).listAgents(
        {
          pageSize: PAGE_SIZE,
          pageToken,
          ...(filter === undefined ? {} : { filter }),
        },
        options,
      ),
    (page) => page.agents,
  );
}
