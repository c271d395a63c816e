import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectTcp, createServer } from "node:net";
import { after, before, test } from "node:test";
import { connect, createSecureContext } from "node:tls";
import { formatCertificatesPem, parseCertificate } from "@bonafide/pki";
import { makeKey } from "@bonafide/pki/testing";
import { clientOptions, readAll, sendRaw, tryToBeGreeted } from "./attempts.ts";
import { startVictim, type Victim } from "./start-victim.ts";

// What somebody who hears everything on the wire can do with it.

let victim: Victim;
before(async () => {
  victim = await startVictim();
});
after(async () => {
  await victim[Symbol.asyncDispose]();
});

test("P1.1: recorded handshake bytes sent again are greeted by nobody", async () => {
  const recorded: Buffer[] = [];
  const wire = createServer((near) => {
    const far = connectTcp({ host: "127.0.0.1", port: victim.ports.tls });
    near.on("data", (chunk: Buffer) => {
      recorded.push(chunk);
      far.write(chunk);
    });
    far.on("data", (chunk) => near.write(chunk));
    far.on("close", () => near.destroy()).on("error", () => undefined);
    near.on("close", () => far.destroy()).on("error", () => undefined);
  }).listen(0, "127.0.0.1");
  await once(wire, "listening");
  const address = wire.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const greeting = await tryToBeGreeted("tls", port, victim.own.issue("/honest"));
  assert.equal(greeting, "Hello spiffe://a.test/honest");
  wire.close();
  await victim.reload();
  const served = victim.served.length;
  assert.ok(Buffer.concat(recorded).length > 500);
  const back = await sendRaw(victim.ports.tls, recorded);
  assert.ok(!back.includes("Hello"));
  // Slowly too: each piece only after an answer could have come.
  for (const bytes of [Buffer.concat(recorded), ...recorded]) {
    await sendRaw(victim.ports.tls, [bytes]);
  }
  await victim.reload();
  assert.deepEqual(victim.served.slice(served), []);
});

test("P1.2: a certificate presented without its key proves nothing", async () => {
  const { chain } = victim.own.issue("/honest");
  const { privateKey } = makeKey("ec-p256");
  await victim.reload();
  const served = victim.served.length;
  // OpenSSL itself will not pair them.
  assert.throws(() =>
    createSecureContext({
      cert: formatCertificatesPem(chain),
      key: privateKey.export({ type: "pkcs8", format: "pem" }),
    }),
  );
  // The same certificate with the attacker's key written over its own: whoever checks the signature sees it.
  const [leaf] = chain;
  const other = victim.friend.forge("spiffe://a.test/honest");
  const der = Buffer.from(leaf.der);
  const at = der.indexOf(Buffer.from(leaf.spki));
  assert.ok(at > 0 && other.chain[0].spki.length === leaf.spki.length);
  der.set(other.chain[0].spki, at);
  const swapped = { chain: [parseCertificate(der)] as const, privateKey: other.privateKey };
  for (const way of ["tls", "https", "grpc"] as const) {
    assert.equal(await tryToBeGreeted(way, victim.ports[way], swapped), undefined, way);
  }
  await victim.reload();
  assert.deepEqual(victim.served.slice(served), []);
});

test("P1.3: a TLS session that was kept is not resumed, with or without a certificate", async () => {
  const svid = victim.own.issue("/honest");
  for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
    const sessions: Buffer[] = [];
    const first = connect({ ...clientOptions("tls", svid), port: victim.ports.tls, maxVersion });
    first.on("session", (session) => sessions.push(session));
    assert.match(await readAll(first), /^Hello /, maxVersion);
    const kept = sessions.at(-1) ?? first.getSession();
    if (kept === undefined) continue; // nothing to resume with is the best answer of all
    await victim.reload();
    const served = victim.served.length;
    for (const presented of [undefined, svid]) {
      const options = { ...clientOptions("tls", presented), port: victim.ports.tls, maxVersion };
      const again = connect({ ...options, session: kept });
      let wasReused = false;
      again.on("secureConnect", () => {
        wasReused = again.isSessionReused();
      });
      again.on("error", () => undefined);
      let said = "";
      try {
        said = await readAll(again);
      } catch {
        // Refused by an alert.
      }
      assert.equal(wasReused, false, maxVersion);
      if (presented === undefined) assert.equal(said, "", maxVersion);
    }
    // Only the one that proved itself anew was served.
    await victim.reload();
    assert.deepEqual(victim.served.slice(served), ["tls spiffe://a.test/honest"]);
  }
});
