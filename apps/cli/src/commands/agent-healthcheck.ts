import {
  Health,
  HealthCheckResponse_ServingStatus,
} from "@bonafide/proto/grpc/health/v1/health_pb";
import { type Command, defineCommand } from "../arguments/command.ts";
import { connectWorkloadSocket, WORKLOAD_SOCKET_FLAG } from "../clients/connect-agent.ts";
import { EXIT } from "../exit-codes.ts";

/** `bonafide agent healthcheck` */
export const agentHealthcheck: Command = defineCommand({
  name: "agent healthcheck",
  summary: "asks a running agent whether it serves; exit code 0 if so",
  flags: WORKLOAD_SOCKET_FLAG,
  examples: ["bonafide agent healthcheck"],
  async run({ flags, env, output, signal }) {
    using agent = connectWorkloadSocket(flags.socket, env);
    const { status } = await agent.client(Health).check({}, { signal, timeoutMs: 5000 });
    const healthy = status === HealthCheckResponse_ServingStatus.SERVING;
    output.result(healthy ? "the agent serves" : "the agent does not serve", { healthy });
    return healthy ? EXIT.ok : EXIT.no;
  },
});
