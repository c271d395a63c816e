import { Diagnosis, Self } from "@bonafide/proto/bonafide/agent/v1/diagnosis_pb";
import { Launcher, LauncherAdmin } from "@bonafide/proto/bonafide/agent/v1/launcher_pb";
import { Health } from "@bonafide/proto/grpc/health/v1/health_pb";
import { ServerReflection } from "@bonafide/proto/grpc/reflection/v1/reflection_pb";
import { SpiffeWorkloadAPI } from "@bonafide/proto/workload_pb";
import type { Attacked, HostileDoor } from "@bonafide/rpc/testing";
import type { DescService } from "@bufbuild/protobuf";
import { openTestAgent } from "./open-test-agent.ts";
import { ScriptedServer } from "./scripted-server.ts";

const COMMON = [Health, ServerReflection] as const;
const WORKLOAD = [SpiffeWorkloadAPI, Self, Launcher, ...COMMON] as const;
const ADMIN = [Diagnosis, LauncherAdmin, ...COMMON] as const;

/** What an agent's sockets serve. */
export const AGENT_SERVICES: readonly DescService[] = [...new Set([...WORKLOAD, ...ADMIN])];

/** Opens a joined agent whose sockets are to be attacked. */
export async function openHostileAgent(): Promise<Attacked> {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await ScriptedServer.open());
  const agent = stack.use(
    await openTestAgent({
      server: server.address,
      bootstrap: { kind: "text", text: server.bundlePem },
      joinToken: "token",
      // As many lines as inputs would be what grows here.
      keeps: ({ event }) => event.endsWith(".call_failed"),
    }),
  );
  await agent.agent.ready({ signal: AbortSignal.timeout(120_000) });
  const { workloadSocket, adminSocket } = agent.agent;
  const doors: readonly HostileDoor[] = [
    {
      name: "workload",
      at: { kind: "unix", path: workloadSocket },
      services: WORKLOAD.map(({ typeName }) => typeName),
      connectionEvery: 4,
    },
    {
      name: "admin",
      at: { kind: "unix", path: adminSocket },
      services: ADMIN.map(({ typeName }) => typeName),
      connectionEvery: 4,
    },
  ];
  const held = stack.move();
  return {
    doors,
    get faults() {
      return agent.log.map((line) => JSON.stringify(line));
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}
