import { BonafideError } from "@bonafide/errors";
import { Entry } from "@bonafide/proto/spire/api/server/entry/v1/entry_pb";
import { parseDurationMs } from "../arguments/duration.ts";
import type { SocketClient } from "../clients/socket-client.ts";
import { CLI_ERRORS } from "../errors.ts";

const ALREADY_EXISTS = 6;

/** An entry of the demo. */
export interface DemoEntry {
  readonly spiffeId: { readonly trustDomain: string; readonly path: string };
  readonly parentId: { readonly trustDomain: string; readonly path: string };
  readonly selectors: readonly { readonly type: string; readonly value: string }[];
  /** Such as `60s`. */
  readonly ttl: string;
}

/** Creates an entry, or finds it there from an earlier run. @throws DEMO_FAILED */
export async function ensureEntry(server: SocketClient, wanted: DemoEntry): Promise<void> {
  const { spiffeId, parentId, selectors, ttl } = wanted;
  const { results } = await server.client(Entry).batchCreateEntry({
    entries: [
      {
        spiffeId,
        parentId,
        selectors: [...selectors],
        x509SvidTtl: (parseDurationMs(ttl) ?? 0) / 1000,
      },
    ],
  });
  const status = results[0]?.status;
  if (status?.code === 0 || status?.code === ALREADY_EXISTS) return;
  throw new BonafideError(
    CLI_ERRORS,
    "DEMO_FAILED",
    `the server refused the entry of ${spiffeId.path}: ${status?.message ?? "no answer"}`,
  );
}
