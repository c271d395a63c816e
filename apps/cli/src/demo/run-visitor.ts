import { once } from "node:events";
import { get } from "node:https";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import type { Clock } from "@bonafide/lifetime";
import { SayHelloRequestSchema } from "@bonafide/proto/bonafide/demo/v1/greeter_pb";
import {
  createHttpsAgent,
  exactId,
  openRotatingGrpcClient,
  type TlsConnectorOptions,
} from "@bonafide/spiffe";
import { create } from "@bufbuild/protobuf";
import { Client } from "@grpc/grpc-js";
import { tell } from "./events.ts";
import { sayHello } from "./greeter-service.ts";
import { openIdentity } from "./open-identity.ts";

const EACH_MS = 1000;
/** Longer than anything takes on a machine that does much else; it only ends a hang. */
const DEADLINE_MS = 25_000;

/**
 * Calls the greeter once over HTTPS and each second over gRPC, for ever, and talks to nobody but exactly that identity.
 *
 * @param words  The greeter's SPIFFE ID, its gRPC port, its HTTPS port.
 */
export async function runVisitor(clock: Clock, words: readonly string[]): Promise<never> {
  const [greeterId = "", grpcPort = "", httpsPort = ""] = words;
  const source = await openIdentity(clock);
  const authorize = exactId(greeterId);

  await reachable(clock, Number(httpsPort));
  try {
    tell({
      event: "answered",
      over: "HTTPS",
      text: await callOverHttps({ source, authorize, clock }, httpsPort),
    });
  } catch (error) {
    tellFailure("HTTPS", error);
  }
  const greeter = openRotatingGrpcClient({
    source,
    authorize,
    clock,
    open: (credentials) => new Client(`127.0.0.1:${grpcPort}`, credentials),
  });
  for (;;) {
    try {
      tell({ event: "answered", over: "gRPC", text: await callOverGrpc(greeter.current) });
    } catch (error) {
      tellFailure("gRPC", error);
    }
    await clock.sleep(EACH_MS);
  }
}

/** Waits until something listens: both workloads start at the same time. */
async function reachable(clock: Clock, port: number): Promise<void> {
  for (const endMs = clock.monotonicMs() + DEADLINE_MS; clock.monotonicMs() < endMs;) {
    const socket = connect({ host: "127.0.0.1", port });
    try {
      await once(socket, "connect");
      return;
    } catch {
      await clock.sleep(50);
    } finally {
      socket.destroy();
    }
  }
}

async function callOverHttps(options: TlsConnectorOptions, port: string): Promise<string> {
  const agent = createHttpsAgent(options);
  try {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    get({ agent, host: "127.0.0.1", port, timeout: DEADLINE_MS }, (response) => {
      resolve(text(response));
    }).on("error", reject);
    return await promise;
  } finally {
    agent.destroy();
  }
}

function callOverGrpc(greeter: Client): Promise<string> {
  return new Promise((resolve, reject) => {
    greeter.makeUnaryRequest(
      sayHello.path,
      sayHello.requestSerialize,
      sayHello.responseDeserialize,
      create(SayHelloRequestSchema),
      { deadline: Date.now() + DEADLINE_MS },
      (error, response) => {
        if (error === null) resolve(response?.message ?? "");
        else reject(error);
      },
    );
  });
}

function tellFailure(over: "gRPC" | "HTTPS", error: unknown): void {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  tell({ event: "failed", over, code, text: error instanceof Error ? error.message : "" });
}
