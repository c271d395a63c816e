/** Usage: server.ts [PORT]. Accepts every member of its own trust domain, and knows who calls. */
import process from "node:process";
import { createHttpsServer, memberOf } from "@bonafide/spiffe";
import { openIdentity } from "../open-identity.ts";

const source = await openIdentity();
const { id, trustDomain } = source.current();
const server = createHttpsServer(
  { source, authorize: memberOf(trustDomain) },
  (request, response) => {
    console.log(`called by ${request.peer.spiffeId}`);
    response.end(`Hello ${request.peer.spiffeId} from the server`);
  },
);
const port = await server.listen({ port: Number(process.argv[2] ?? 0), host: "127.0.0.1" });
console.log(`${id} listens on 127.0.0.1:${port}`);
