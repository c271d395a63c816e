import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { connect } from "node:tls";
import { clientOptions, tryToBeGreeted } from "./attempts.ts";
import { startVictim, type Victim, type WayIn, WAYS } from "./start-victim.ts";

// A server process that has two trust domains' bundles, and an attacker who owns one of them.

let victim: Victim;
before(async () => {
  victim = await startVictim();
});
after(async () => {
  await victim[Symbol.asyncDispose]();
});

const FORGERIES: readonly (readonly [string, WayIn])[] = [
  ["P2.1: a leaf of this trust domain signed by another domain's root, over node:tls", "tls"],
  ["P2.2: the same over HTTPS", "https"],
  ["P2.3: the same over gRPC", "grpc"],
];
for (const [name, way] of FORGERIES) {
  test(name, async () => {
    const port = victim.ports[way];
    // Without this the refusal could be any fault of the attempt.
    const honest = await tryToBeGreeted(way, port, victim.own.issue("/honest"));
    assert.equal(honest, "Hello spiffe://a.test/honest");
    await victim.reload();
    const servedBefore = victim.served.length;
    const forged = victim.friend.forge("spiffe://a.test/admin");
    assert.equal(await tryToBeGreeted(way, port, forged), undefined);
    assert.equal(await tryToBeGreeted(way, port, victim.friend.issue("/admin")), undefined);
    await victim.reload();
    assert.deepEqual(victim.served.slice(servedBefore), []);
  });
}

test("P3.1: a caller without a verified identity reaches no handler", async () => {
  await victim.reload();
  const served = victim.served.length;
  for (const way of WAYS) {
    assert.equal(await tryToBeGreeted(way, victim.ports[way], undefined), undefined, way);
  }
  await victim.reload();
  assert.deepEqual(victim.served.slice(served), []);
});

test("P3.2: an identity claimed in a header counts for nothing", async () => {
  const claims = {
    "x-spiffe-id": "spiffe://a.test/admin",
    "x-forwarded-client-cert": "URI=spiffe://a.test/admin",
    "spiffe-id": "spiffe://a.test/admin",
  };
  for (const way of ["https", "grpc"] as const) {
    const mallory = victim.own.issue("/mallory");
    const greeting = await tryToBeGreeted(way, victim.ports[way], mallory, claims);
    assert.equal(greeting, "Hello spiffe://a.test/mallory", way);
    assert.equal(await tryToBeGreeted(way, victim.ports[way], undefined, claims), undefined, way);
  }
  assert.ok(victim.served.every((line) => !line.includes("admin")));
});

test("P2.4: an authority removed while connections are open ends them, on every adapter", async () => {
  const svid = victim.own.issue("/honest");
  const open = WAYS.map((way) => {
    const socket = connect({ ...clientOptions(way, svid), port: victim.ports[way] });
    socket.on("error", () => undefined).resume();
    return { way, socket, secured: once(socket, "secureConnect"), closed: once(socket, "close") };
  });
  await Promise.all(open.map(({ secured }) => secured));
  // Greeted once: the victim has taken them all, whatever the client believes of its handshake.
  for (const way of WAYS) {
    assert.ok(await tryToBeGreeted(way, victim.ports[way], svid), way);
  }
  victim.own.rotateAuthority();
  victim.own.dropOldAuthorities();
  await victim.reload();
  await Promise.all(open.map(({ closed }) => closed));
  for (const way of WAYS) {
    assert.equal(await tryToBeGreeted(way, victim.ports[way], svid), undefined, way);
    const fresh = await tryToBeGreeted(way, victim.ports[way], victim.own.issue("/fresh"));
    assert.equal(fresh, "Hello spiffe://a.test/fresh", way);
  }
});
