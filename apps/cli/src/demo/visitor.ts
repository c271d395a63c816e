import { get } from "node:https";
import process from "node:process";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { SayHelloRequestSchema } from "@bonafide/proto/bonafide/demo/v1/greeter_pb";
import { createHttpsAgent, exactId, openRotatingGrpcClient } from "@bonafide/spiffe";
import { create } from "@bufbuild/protobuf";
import { Client } from "@grpc/grpc-js";
import { tell } from "./events.ts";
import { sayHello } from "./greeter-service.ts";
import { openIdentity } from "./open-identity.ts";

// Calls the greeter once over HTTPS and each second over gRPC, and talks to nobody but exactly that identity.

const EACH_MS = 1000;
const DEADLINE_MS = 5000;
const [greeterId = "", grpcPort = "", httpsPort = ""] = process.argv.slice(2);

const source = await openIdentity();
const authorize = exactId(greeterId);

try {
  tell({ event: "answered", over: "HTTPS", text: await callOverHttps() });
} catch (error) {
  tellFailure("HTTPS", error);
}
const greeter = openRotatingGrpcClient({
  source,
  authorize,
  open: (credentials) => new Client(`127.0.0.1:${grpcPort}`, credentials),
});
for (;;) {
  try {
    tell({ event: "answered", over: "gRPC", text: await callOverGrpc() });
  } catch (error) {
    tellFailure("gRPC", error);
  }
  await sleep(EACH_MS);
}

async function callOverHttps(): Promise<string> {
  const agent = createHttpsAgent({ source, authorize });
  try {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    get({ agent, host: "127.0.0.1", port: httpsPort, timeout: DEADLINE_MS }, (response) => {
      resolve(text(response));
    }).on("error", reject);
    return await promise;
  } finally {
    agent.destroy();
  }
}

function callOverGrpc(): Promise<string> {
  return new Promise((resolve, reject) => {
    greeter.current.makeUnaryRequest(
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
