import { Agent } from "@bonafide/proto/spire/api/server/agent/v1/agent_pb";
import { type Command, defineCommand } from "../arguments/command.ts";
import { connectServer, SOCKET_FLAG } from "../clients/connect-server.ts";
import { listAgents } from "../clients/list-agents.ts";
import { EXIT } from "../exit-codes.ts";
import { isoSeconds } from "../render/entry.ts";
import { idText } from "../render/spiffe-id.ts";

/** As long as an expired node may come back by itself. */
const EXPIRED_FOR_MS = 30 * 86_400_000;

/** `bonafide agent purge` */
export const agentPurge: Command = defineCommand({
  name: "agent purge",
  summary: "forgets nodes whose SVIDs expired long ago; banned ones stay banned",
  flags: {
    ...SOCKET_FLAG,
    "expired-for": {
      kind: "duration",
      help: "how long ago; less than the server's agent_recovery_window strands nodes that are only switched off",
      spire: "expiredFor",
      standard: "30d",
    },
    all: {
      kind: "boolean",
      help: "also those that cannot attest again by themselves, such as nodes that joined by a token",
    },
    "dry-run": { kind: "boolean", help: "only say which", spire: "dryRun" },
  },
  examples: ["bonafide agent purge --dry-run", "bonafide agent purge --expired-for 90d --all"],
  async run({ flags, env, output, signal, machine }) {
    using server = connectServer(flags.socket, env);
    const bound = machine.clock.now() - (flags["expired-for"] ?? EXPIRED_FOR_MS);
    const agents = await listAgents(server, undefined, { signal });
    const stale = agents.filter(
      ({ banned, canReattest, x509svidExpiresAt }) =>
        !banned &&
        (canReattest || flags.all) &&
        x509svidExpiresAt > 0n &&
        Number(x509svidExpiresAt) * 1000 < bound,
    );
    const purged: { readonly id: string; readonly svidExpiresAt: number }[] = [];
    for (const { id, x509svidExpiresAt } of stale) {
      if (id !== undefined && !flags["dry-run"]) {
        await server.client(Agent).deleteAgent({ id }, { signal });
      }
      purged.push({ id: idText(id), svidExpiresAt: Number(x509svidExpiresAt) });
    }
    const lines = purged.map(
      ({ id, svidExpiresAt }) => `${id}  expired ${isoSeconds(svidExpiresAt)}`,
    );
    output.result(purged.length === 0 ? "none" : lines.join("\n"), {
      purged,
      dryRun: flags["dry-run"],
    });
    if (flags["dry-run"]) output.note("dry run: nothing was written");
    return EXIT.ok;
  },
});
