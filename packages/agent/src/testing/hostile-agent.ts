import { once } from "node:events";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { Diagnosis, Self } from "@bonafide/proto/bonafide/agent/v1/diagnosis_pb";
import { Launcher, LauncherAdmin } from "@bonafide/proto/bonafide/agent/v1/launcher_pb";
import { Health } from "@bonafide/proto/grpc/health/v1/health_pb";
import { ServerReflection } from "@bonafide/proto/grpc/reflection/v1/reflection_pb";
import { SpiffeWorkloadAPI } from "@bonafide/proto/workload_pb";
import type { HostileTarget } from "@bonafide/rpc/testing";
import { openTestAgent, type TestAgent } from "./open-test-agent.ts";
import { ScriptedServer } from "./scripted-server.ts";

/** A joined agent whose sockets are to be attacked. */
export interface HostileAgent extends AsyncDisposable {
  readonly agent: TestAgent;
  readonly targets: readonly HostileTarget[];
}

/** Opens an agent and names what listens. */
export async function openHostileAgent(): Promise<HostileAgent> {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await ScriptedServer.open());
  const agent = stack.use(
    await openTestAgent({
      server: server.address,
      bootstrap: { kind: "text", text: server.bundlePem },
      joinToken: "token",
    }),
  );
  await agent.agent.ready({ signal: AbortSignal.timeout(120_000) });
  const { workloadSocket, adminSocket } = agent.agent;
  const common = [Health, ServerReflection];
  const targets = [
    {
      name: "workload",
      connect: () => connectUnix(workloadSocket),
      services: [SpiffeWorkloadAPI, Self, Launcher, ...common],
      connectionEvery: 4,
    },
    {
      name: "admin",
      connect: () => connectUnix(adminSocket),
      services: [Diagnosis, LauncherAdmin, ...common],
      connectionEvery: 4,
    },
  ];
  const held = stack.move();
  return { agent, targets, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

async function connectUnix(path: string): Promise<Duplex> {
  const socket = connect({ path, allowHalfOpen: true });
  await once(socket, "connect");
  return socket;
}
