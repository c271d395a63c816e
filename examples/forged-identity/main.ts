/**
 * A server trusts two domains, as everybody does who federates. One of them issues a certificate for an identity of the
 * other. Node's TLS looks for any root that fits, and finds one.
 */
import { once } from "node:events";
import { connect, createServer, type TLSSocket } from "node:tls";
import { createTlsAcceptor, predicate, secureContextOptions } from "@bonafide/spiffe";
import { TestTrustDomain } from "@bonafide/spiffe/testing";

const bank = new TestTrustDomain("bank.example");
const partner = new TestTrustDomain("partner.example");
const forged = partner.forge("spiffe://bank.example/admin");
const show = { rejectUnauthorized: false, ...secureContextOptions(forged) };

// 1. Plain Node, with both roots in one list and `rejectUnauthorized`, as the manual has it.
const plain = createServer({
  ...secureContextOptions(bank.issue("/vault")),
  ca: [bank.ca.pem, partner.ca.pem],
  requestCert: true,
  rejectUnauthorized: true,
});
plain.listen(0, "127.0.0.1");
await once(plain, "listening");
const accepted = once(plain, "secureConnection");
const first = connect({ ...show, port: portOf(plain.address()) });
const [socket]: TLSSocket[] = await accepted;
console.log(
  `plain Node:       authorized=${socket?.authorized}`,
  socket?.getPeerCertificate().subjectaltname,
);
first.destroy();
plain.close();

// 2. The same roots, the same certificate; each identity is judged by its own trust domain's roots only.
const refused = Promise.withResolvers<string>();
const acceptor = createTlsAcceptor(
  {
    source: bank.source("/vault", { trusting: [partner] }),
    authorize: predicate("anybody who was verified", () => true),
    alpn: ["http/1.1"],
    onRefused: ({ error }) => {
      refused.resolve(`${error.code}: ${error.message}`);
    },
  },
  (_socket, peer) => {
    refused.resolve(`ACCEPTED ${peer.spiffeId}`);
  },
);
const port = await acceptor.listen({ port: 0, host: "127.0.0.1" });
const second = connect({ ...show, port });
second.on("error", () => {});
console.log(`@bonafide/spiffe: ${await refused.promise}`);
second.destroy();
await acceptor.close();

function portOf(address: unknown): number {
  if (typeof address === "object" && address !== null && "port" in address) {
    return Number(address.port);
  }
  throw new Error("not listening");
}
