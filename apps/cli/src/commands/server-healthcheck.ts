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
  summary: "asks a running server whether it serves; exit code 0 if so",
  flags: SOCKET_FLAG,
  examples: ["bonafide server healthcheck"],
  async run({ flags, env, output, signal }) {
    using server = connectServer(flags.socket, env);
    const { status } = await server.client(Health).check({}, { signal, timeoutMs: 5000 });
    const healthy = status === HealthCheckResponse_ServingStatus.SERVING;
    output.result(healthy ? "the server serves" : "the server does not serve", { healthy });
    return healthy ? EXIT.ok : EXIT.no;
  },
});
