import { readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { Latest } from "@bonafide/lifetime";
import {
  createGrpcAcceptor,
  createHttpsServer,
  createTlsAcceptor,
  grpcPeer,
  memberOf,
  parseTrustDomain,
  parseX509BundlePem,
  parseX509SvidPem,
  x509BundleSetOf,
  type X509Context,
  x509ContextOf,
  X509Source,
} from "@bonafide/spiffe";
import { Server } from "@grpc/grpc-js";
import { greet } from "./greet.ts";

// A server process over each adapter, with the bundles of its own and of a friendly trust domain. It reads its identity from
// the folder it is given, admits members of its own domain, and says on standard output whom it served. `reload` on
// standard input makes it read its bundles again.

const folder = process.argv[2] ?? "";
const state = new Latest(readContext());
const source = new X509Source(state);
const authorize = memberOf("a.test");
const common = { source, authorize };

const tls = createTlsAcceptor({ ...common, alpn: ["hello"] }, (socket, peer) => {
  tellServed("tls", String(peer));
  socket.write(`Hello ${peer.spiffeId}\n`);
  return { retire: () => void socket.end() };
});
const https = createHttpsServer(common, (request, response) => {
  tellServed("https", String(request.peer));
  response.end(`Hello ${request.peer.spiffeId}`);
});
const grpcServer = new Server();
grpcServer.addService(
  { greet },
  {
    greet: (call: { getPeer(): string }, answer: (error: null, text: string) => void) => {
      const { spiffeId } = grpcPeer(call);
      tellServed("grpc", spiffeId);
      answer(null, `Hello ${spiffeId}`);
    },
  },
);
const grpc = createGrpcAcceptor(grpcServer, common);
const listen = { host: "127.0.0.1", port: 0 };
tell({
  ports: {
    tls: await tls.listen(listen),
    https: await https.listen(listen),
    grpc: await grpc.listen(listen),
  },
});
createInterface({ input: process.stdin }).on("line", () => {
  state.set(readContext());
  tell({ reloaded: true });
});

function readContext(): X509Context {
  const bundles = ["a.test", "b.test"].map((name) =>
    parseX509BundlePem(parseTrustDomain(name), read(`${name}.pem`)),
  );
  const svid = parseX509SvidPem(read("svid.pem"), read("svid.key"));
  return x509ContextOf(svid, x509BundleSetOf(bundles));
}

function tellServed(over: string, peer: string): void {
  tell({ served: over, peer });
}

function tell(value: unknown): void {
  writeSync(1, `${JSON.stringify(value)}\n`);
}

function read(name: string): string {
  return readFileSync(join(folder, name), "utf8");
}
