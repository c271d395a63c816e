import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCertificate } from "@bonafide/pki";
import { makeCertificate, makeKey } from "@bonafide/pki/testing";
import { Bundle } from "@bonafide/proto/spire/api/server/bundle/v1/bundle_pb";
import { failureOf, openTestServer, TD } from "./testing/test-server.ts";

function root(): Uint8Array {
  return makeCertificate({ commonName: "r", isAuthority: true, uris: [`spiffe://${TD}`] }).der;
}

const JWT_KEY = { keyId: "theirs", publicKey: makeKey().spki };

test("appended authorities are in the bundle, once each; its number rises with a change and not without", async () => {
  await using srv = await openTestServer();
  const bundle = srv.local(Bundle);
  const before = await bundle.getBundle({});
  const asn1 = root();
  const request = { x509Authorities: [{ asn1 }, { asn1 }], jwtAuthorities: [JWT_KEY] };
  const appended = await bundle.appendBundle(request);
  assert.equal(appended.x509Authorities.length, before.x509Authorities.length + 1);
  assert.ok(appended.x509Authorities.some((each) => Buffer.from(each.asn1).equals(asn1)));
  assert.ok(appended.jwtAuthorities.some(({ keyId }) => keyId === "theirs"));
  assert.ok(appended.sequenceNumber > before.sequenceNumber);
  const again = await bundle.appendBundle({ ...request, outputMask: { sequenceNumber: true } });
  assert.equal(again.sequenceNumber, appended.sequenceNumber);
  assert.deepEqual([again.trustDomain, again.x509Authorities.length], [TD, 0]);
  assert.deepEqual(await srv.remote(Bundle).getBundle({}), appended);
});

test("tainted wins over what is there and not the other way; what signs now is not tainted so", async () => {
  await using srv = await openTestServer();
  const bundle = srv.local(Bundle);
  const asn1 = root();
  const taintedOf = async (): Promise<readonly boolean[]> => {
    const { x509Authorities } = await bundle.getBundle({});
    return x509Authorities
      .filter((each) => Buffer.from(each.asn1).equals(asn1))
      .map((x) => x.tainted);
  };
  await bundle.appendBundle({ x509Authorities: [{ asn1 }] });
  assert.deepEqual(await taintedOf(), [false]);
  await bundle.appendBundle({ x509Authorities: [{ asn1 }, { asn1, tainted: true }, { asn1 }] });
  assert.deepEqual(await taintedOf(), [true]);
  await bundle.appendBundle({ x509Authorities: [{ asn1 }] });
  assert.deepEqual(await taintedOf(), [true]);
  const { x509Authorities } = await bundle.getBundle({});
  const own = x509Authorities.find(({ tainted }) => !tainted);
  const refused = bundle.appendBundle({
    x509Authorities: [{ asn1: own?.asn1 ?? asn1, tainted: true }],
  });
  assert.equal((await failureOf(refused)).code, "AUTHORITY_STATE_WRONG");
});

test("a renewed certificate of an appended key replaces it, stays tainted, and cannot replace our own", async () => {
  await using srv = await openTestServer();
  const bundle = srv.local(Bundle);
  const key = makeKey();
  const made = (): Uint8Array => makeCertificate({ isAuthority: true, key }).der;
  const [first, second] = [made(), made()];
  const before = await bundle.appendBundle({ x509Authorities: [{ asn1: first, tainted: true }] });
  const after = await bundle.appendBundle({ x509Authorities: [{ asn1: second }] });
  assert.equal(after.x509Authorities.length, before.x509Authorities.length);
  const held = after.x509Authorities.find(({ asn1 }) => Buffer.from(asn1).equals(second));
  assert.equal(held?.tainted, true);
  const own = parseCertificate(
    after.x509Authorities.find(({ tainted }) => !tainted)?.asn1 ?? first,
  );
  const posing = makeCertificate({
    isAuthority: true,
    key: { privateKey: key.privateKey, spki: own.spki },
  });
  const refused = bundle.appendBundle({ x509Authorities: [{ asn1: posing.der }] });
  assert.equal((await failureOf(refused)).code, "REQUEST_INVALID");
});

test("what is no authority, has ended, or has the id of another key is refused, and nothing is written", async () => {
  await using srv = await openTestServer();
  const bundle = srv.local(Bundle);
  await bundle.appendBundle({ jwtAuthorities: [JWT_KEY] });
  const before = await bundle.getBundle({});
  const hour = 3_600_000;
  const ended = makeCertificate({
    isAuthority: true,
    notBefore: Date.now() - 2 * hour,
    notAfter: Date.now() - hour,
  }).der;
  for (const request of [
    {},
    { witAuthorities: [JWT_KEY] },
    { x509Authorities: [{ asn1: Uint8Array.of(1, 2) }] },
    { x509Authorities: [{}] },
    { x509Authorities: [{ asn1: makeCertificate().der }] },
    { x509Authorities: [{ asn1: ended }] },
    { x509Authorities: [{ asn1: root() }], jwtAuthorities: [{ ...JWT_KEY, keyId: "" }] },
    { jwtAuthorities: [{ ...JWT_KEY, keyId: "other", publicKey: Uint8Array.of(1) }] },
    { jwtAuthorities: [{ ...JWT_KEY, keyId: "other", expiresAt: 1n }] },
    {
      x509Authorities: [{ asn1: root() }],
      jwtAuthorities: [{ ...JWT_KEY, publicKey: makeKey().spki }],
    },
  ]) {
    const { code } = await failureOf(bundle.appendBundle(request));
    assert.equal(code, "REQUEST_INVALID");
  }
  const many = Array.from({ length: 129 }, (_, i) => ({ ...JWT_KEY, keyId: `k${i}` }));
  assert.equal((await failureOf(bundle.appendBundle({ jwtAuthorities: many }))).code, "OVERLOADED");
  assert.deepEqual(await bundle.getBundle({}), before);
  await bundle.appendBundle({ jwtAuthorities: many.slice(0, 127) });
  const full = await failureOf(bundle.appendBundle({ jwtAuthorities: many.slice(127) }));
  assert.deepEqual([full.status, full.code], ["failed_precondition", "AUTHORITIES_FULL"]);
});
