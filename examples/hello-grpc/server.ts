/** Usage: server.ts [PORT]. Accepts every member of its own trust domain, and knows who calls. */
import process from "node:process";
import { createGrpcAcceptor, grpcPeer, memberOf } from "@bonafide/spiffe";
import { type sendUnaryData, Server, type ServerUnaryCall } from "@grpc/grpc-js";
import { openIdentity } from "../open-identity.ts";
import { greeterService, type Message } from "./greeter.ts";

const source = await openIdentity();
const server = new Server();
server.addService(greeterService, {
  sayHello(call: ServerUnaryCall<Message, Message>, answer: sendUnaryData<Message>): void {
    const caller = grpcPeer(call).spiffeId;
    console.log(`called by ${caller}`);
    answer(null, { text: `Hello ${caller} from the server` });
  },
});
const me = source.current();
const acceptor = createGrpcAcceptor(server, {
  source,
  authorize: memberOf(me.trustDomain),
  onRefused: ({ error }) => {
    console.log(`refused: ${error.code}: ${error.message}`);
  },
});
const port = await acceptor.listen({ port: Number(process.argv[2] ?? 0), host: "127.0.0.1" });
console.log(`${me.id} listens on 127.0.0.1:${port}`);
