import type { Clock } from "@bonafide/lifetime";
import {
  type SayHelloRequest,
  type SayHelloResponse,
  SayHelloResponseSchema,
} from "@bonafide/proto/bonafide/demo/v1/greeter_pb";
import { createGrpcAcceptor, createHttpsServer, grpcPeer, memberOf } from "@bonafide/spiffe";
import { create } from "@bufbuild/protobuf";
import { type handleUnaryCall, Server } from "@grpc/grpc-js";
import { tell } from "./events.ts";
import { sayHello } from "./greeter-service.ts";
import { openIdentity } from "./open-identity.ts";

/**
 * A gRPC and an HTTPS server that admit any member of their own trust domain and know each caller by name.
 *
 * @param words  The gRPC port, the HTTPS port; 0 is any free one.
 */
export async function runGreeter(clock: Clock, words: readonly string[]): Promise<void> {
  const [grpcPort = "0", httpsPort = "0"] = words;
  const source = await openIdentity(clock);
  const authorize = memberOf(source.current().trustDomain);

  const server = new Server();
  server.addService(
    { sayHello },
    {
      sayHello: ((call, answer) => {
        const { spiffeId } = grpcPeer(call);
        tell({ event: "called", over: "gRPC", caller: spiffeId });
        answer(null, create(SayHelloResponseSchema, { message: greeting(spiffeId) }));
      }) satisfies handleUnaryCall<SayHelloRequest, SayHelloResponse>,
    },
  );
  const grpc = createGrpcAcceptor(server, { source, authorize, clock });
  const https = createHttpsServer({ source, authorize, clock }, (request, response) => {
    const { spiffeId } = request.peer;
    tell({ event: "called", over: "HTTPS", caller: spiffeId });
    response.end(greeting(spiffeId));
  });

  tell({
    event: "serving",
    grpc: await grpc.listen({ host: "127.0.0.1", port: Number(grpcPort) }),
    https: await https.listen({ host: "127.0.0.1", port: Number(httpsPort) }),
  });
}

function greeting(caller: string): string {
  return `Hello ${caller} from the server`;
}
