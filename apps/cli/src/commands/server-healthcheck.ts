import { Ledger } from "@bonafide/proto/bonafide/admin/v1/ledger_pb";
import {
  Health,
  HealthCheckResponse_ServingStatus,
} from "@bonafide/proto/grpc/health/v1/health_pb";
import { type Command, defineCommand } from "../arguments/command.ts";
import { connectServer, SOCKET_FLAG } from "../clients/connect-server.ts";
import { EXIT } from "../exit-codes.ts";

/** `bonafide server healthcheck` */
export const serverHealthcheck: Command = defineCommand({
  name: "server healthcheck",
  summary: "asks a running server whether it serves and writes; exit code 0 if so",
  flags: SOCKET_FLAG,
  examples: ["bonafide server healthcheck"],
  async run({ flags, env, output, signal }) {
    using server = connectServer(flags.socket, env);
    // Any of our sockets answers for its health; only a server's tells of its ledger.
    const { heldReason, heldMessage } = await server
      .client(Ledger)
      .head({}, { signal, timeoutMs: 5000 });
    const { status } = await server.client(Health).check({}, { signal, timeoutMs: 5000 });
    const healthy = status === HealthCheckResponse_ServingStatus.SERVING;
    const lines = [healthy ? "the server serves" : "the server does not serve"];
    if (heldReason !== "") lines.push(`on hold (${heldReason}): ${heldMessage}`);
    const held = heldReason === "" ? null : { reason: heldReason, message: heldMessage };
    output.result(lines.join("\n"), { healthy, held });
    return healthy && held === null ? EXIT.ok : EXIT.no;
  },
});
