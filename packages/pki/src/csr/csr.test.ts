import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import { encode } from "../der/der-writer.ts";
import { contextGroupTag, contextTag, TAG } from "../der/tags.ts";
import {
  createCsr,
  describeName,
  encodeName,
  generateKey,
  issueRoot,
  keySigner,
  parseCsr,
  parsePem,
  verifyCsr,
} from "../index.ts";
import { madeExtension, makeKey } from "../testing/index.ts";
import { openssl, peculiar } from "../testing/oracles.ts";
import { oidElement } from "../x509/algorithm.ts";

const SUBJECT = encodeName([
  { type: "C", value: "US" },
  { type: "O", value: "SPIRE" },
]);
const signer = keySigner(generateKey("ec-p256").privateKey);
const malformed = (error: unknown): boolean => isBonafideError(error, "CSR_MALFORMED");
const unproven = (error: unknown): boolean => isBonafideError(error, "CSR_SIGNATURE_INVALID");
const invalid = (error: unknown): boolean => isBonafideError(error, "TEMPLATE_INVALID");
const sequence = (...parts: readonly Uint8Array[]): Uint8Array => encode(TAG.sequence, ...parts);

/** A request around any attributes, signed. */
function requestWith(
  attributes: readonly Uint8Array[],
  options: { readonly version?: number; readonly tail?: Uint8Array } = {},
): Uint8Array {
  const tbs = sequence(
    encode(TAG.integer, Uint8Array.of(options.version ?? 0)),
    SUBJECT,
    signer.spki,
    encode(contextGroupTag(0), ...attributes),
    ...(options.tail === undefined ? [] : [options.tail]),
  );
  const signature = encode(TAG.bitString, Uint8Array.of(0), signer.sign(tbs));
  return sequence(tbs, sequence(oidElement(signer.algorithm)), signature);
}

function extensionRequest(...extensions: readonly Uint8Array[]): Uint8Array {
  const set = encode(TAG.set, sequence(...extensions));
  return sequence(oidElement("1.2.840.113549.1.9.14"), set);
}

function uriNames(...uris: readonly string[]): Uint8Array {
  const names = uris.map((uri) => encode(contextTag(6), new Uint8Array(Buffer.from(uri))));
  return madeExtension("2.5.29.17", false, sequence(...names));
}

suite("requests that we write", () => {
  test("a SPIRE agent's kind: a subject, no names, an empty attribute list", () => {
    const der = createCsr(signer, { subject: SUBJECT });
    const csr = parseCsr(der);
    verifyCsr(csr);
    assert.equal(describeName(csr.subject), "C=US, O=SPIRE");
    assert.deepEqual([csr.uris, csr.dnsNames, csr.alternativeNames], [[], [], []]);
    assert.deepEqual(csr.spki, signer.spki);
    assert.match(
      openssl(["req", "-inform", "DER", "-noout", "-subject"], der),
      /C = US, O = SPIRE/,
    );
    assert.ok(Buffer.from(csr.tbs).subarray(-2).equals(Buffer.of(0xa0, 0)));
  });

  test("a workload's kind, with names, read by openssl and @peculiar/x509", async () => {
    const uris = ["spiffe://example.org/web"];
    const dnsNames = ["web.example.org"];
    const der = createCsr(signer, { uris, dnsNames });
    const csr = parseCsr(der);
    verifyCsr(csr);
    assert.deepEqual([csr.uris, csr.dnsNames], [uris, dnsNames]);
    const text = openssl(["req", "-inform", "DER", "-noout", "-text", "-verify"], der);
    assert.match(text, /URI:spiffe:\/\/example\.org\/web, DNS:web\.example\.org/);
    const theirs = new peculiar.Pkcs10CertificateRequest(der);
    assert.ok(await theirs.verify());
  });

  for (const kind of ["ec-p384", "ec-p521", "ed25519", "rsa-2048"] as const) {
    test(`a request by a ${kind} key verifies here and in openssl`, () => {
      const der = createCsr(keySigner(makeKey(kind).privateKey), { subject: SUBJECT });
      verifyCsr(parseCsr(der));
      openssl(["req", "-inform", "DER", "-noout", "-verify"], der);
    });
  }

  test("refuses a signer whose algorithm is not accepted", () => {
    const odd = { ...signer, algorithm: "1.2.3" };
    assert.throws(() => createCsr(odd), invalid);
    const validity = { notBefore: 0, notAfter: 1000 };
    assert.throws(() => issueRoot(odd, { uris: [], subject: SUBJECT, ...validity }), invalid);
  });

  test("refuses to ask for names that cannot be written", () => {
    for (const uris of [[""], ["a b"], ["a\0"]]) {
      assert.throws(
        () => createCsr(signer, { uris }),
        (error) => isBonafideError(error, "TEMPLATE_INVALID"),
      );
    }
  });
});

suite("requests that others write", () => {
  test("openssl's, with several kinds of name", () => {
    const names = "subjectAltName=URI:spiffe://a/x,DNS:x.org,IP:10.0.0.1,email:x@x.org";
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    const args = [...key, "-keyout", "/dev/null", "-subj", "/CN=x", "-addext", names];
    const pem = openssl(["req", "-new", ...args], "");
    const csr = parseCsr(parsePem(pem)[0]?.der ?? new Uint8Array(0));
    verifyCsr(csr);
    assert.deepEqual([csr.uris, csr.dnsNames], [["spiffe://a/x"], ["x.org"]]);
    assert.deepEqual(
      csr.alternativeNames.map(({ kind }) => kind),
      ["uri", "dns", "ip", "email"],
    );
  });

  test("other attributes and other extensions are read over", () => {
    const password = encode(0x0c, new Uint8Array(Buffer.from("secret")));
    const challenge = sequence(oidElement("1.2.840.113549.1.9.7"), encode(TAG.set, password));
    const usage = madeExtension("2.5.29.15", true, Uint8Array.of(3, 2, 7, 0x80));
    const csr = parseCsr(requestWith([challenge, extensionRequest(usage, uriNames("a:b"))]));
    verifyCsr(csr);
    assert.deepEqual(csr.uris, ["a:b"]);
    assert.deepEqual(parseCsr(requestWith([extensionRequest(usage)])).uris, []);
  });
});

suite("requests that are refused", () => {
  const good = createCsr(signer, { subject: SUBJECT, uris: ["spiffe://a/x"] });

  test("a request of another version", () => {
    assert.throws(() => parseCsr(requestWith([], { version: 1 })), malformed);
  });
  test("a request with something after its attributes", () => {
    assert.throws(() => parseCsr(requestWith([], { tail: Uint8Array.of(5, 0) })), malformed);
  });
  test("two extension requests, of which one could be overlooked", () => {
    const one = extensionRequest(uriNames("a:b"));
    assert.throws(() => parseCsr(requestWith([one, one])), malformed);
  });
  test("one name extension twice", () => {
    const twice = extensionRequest(uriNames("a:b"), uriNames("a:c"));
    assert.throws(() => parseCsr(requestWith([twice])), malformed);
  });
  test("a URI that hides a NUL", () => {
    assert.throws(() => parseCsr(requestWith([extensionRequest(uriNames("a:b\0c"))])), malformed);
  });
  test("an extension request that is empty, or holds two values", () => {
    const oid = oidElement("1.2.840.113549.1.9.14");
    const value = sequence(uriNames("a:b"));
    for (const set of [encode(TAG.set), encode(TAG.set, value, value)]) {
      assert.throws(() => parseCsr(requestWith([sequence(oid, set)])), malformed);
    }
  });
  test("more attributes than the limit", () => {
    const attribute = sequence(oidElement("1.2.3"), encode(TAG.set));
    const many = Array.from({ length: 65 }, () => attribute);
    assert.throws(() => parseCsr(requestWith(many)), malformed);
  });
  test("no bytes, a tail, and more bytes than the limit", () => {
    const others = [new Uint8Array(0), new Uint8Array([...good, 0]), new Uint8Array(40_000)];
    for (const other of others) assert.throws(() => parseCsr(other), malformed);
  });

  test("a request whose signature was altered, or is by another key", () => {
    const csr = parseCsr(good);
    const altered = good.slice();
    altered[altered.length - 1] = (altered.at(-1) ?? 0) ^ 1;
    assert.throws(() => verifyCsr(parseCsr(altered)), unproven);
    const stranger = keySigner(generateKey("ec-p256").privateKey);
    const stolen = { ...stranger, spki: signer.spki };
    assert.throws(() => verifyCsr(parseCsr(createCsr(stolen))), unproven);
    assert.throws(() => verifyCsr({ ...csr, tbs: csr.tbs.slice(1) }), unproven);
    assert.throws(() => verifyCsr({ ...csr, signatureAlgorithm: "1.3.101.112" }), unproven);
    assert.throws(
      () => verifyCsr({ ...csr, signatureAlgorithm: "1.2.840.113549.1.1.5" }),
      unproven,
    );
  });

  test("a request for a key that is not accepted", () => {
    const weak = makeKey("rsa-1024");
    const off = signer.spki.slice();
    off[90] = (off.at(-1) ?? 0) ^ 1;
    for (const spki of [weak.spki, off]) {
      const csr = parseCsr(createCsr({ ...signer, spki }));
      assert.throws(
        () => verifyCsr(csr),
        (error) => isBonafideError(error, "PUBLIC_KEY_UNSUPPORTED"),
      );
    }
  });
});
