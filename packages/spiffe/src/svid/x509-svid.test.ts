import assert from "node:assert/strict";
import { test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import { encodePrivateKey, formatPem } from "@bonafide/pki";
import { parseX509Svid, parseX509SvidPem, x509SvidOf } from "../index.ts";
import { CHAIN_CERTIFICATES_MAX, HINT_BYTES_MAX } from "../limits.ts";
import { TestTrustDomain } from "../testing/index.ts";

const domain = new TestTrustDomain("example.org");
const [one, two] = [domain.issue("/one"), domain.issue("/two")];
const { chain, privateKey } = one;
const [leaf] = chain;
const keyDer = encodePrivateKey(privateKey);
const keyPem = formatPem("PRIVATE KEY", keyDer);
const leafPem = formatPem("CERTIFICATE", leaf.der);

function refused(reason: string, act: () => unknown): void {
  assert.throws(
    act,
    (error) => isBonafideError(error, "X509_SVID_INVALID") && error.details["reason"] === reason,
    reason,
  );
}

test("an SVID is put together only of parts that belong together", () => {
  assert.equal(x509SvidOf({ chain, privateKey, hint: "h".repeat(HINT_BYTES_MAX) }).id, one.id);
  refused("empty", () => x509SvidOf({ chain: [], privateKey }));
  const long = Array.from({ length: CHAIN_CERTIFICATES_MAX + 1 }, () => leaf);
  x509SvidOf({ chain: long.slice(1), privateKey });
  refused("too-long", () => x509SvidOf({ chain: long, privateKey }));
  refused("hint", () =>
    x509SvidOf({ chain, privateKey, hint: "\u00e9".repeat(HINT_BYTES_MAX / 2 + 1) }),
  );
  refused("key-mismatch", () => x509SvidOf({ chain, privateKey: two.privateKey }));
});

test("what the Workload API states beside a leaf is held against it", () => {
  assert.equal(parseX509Svid({ chainDer: leaf.der, keyDer, id: one.id }).id, one.id);
  refused("id-mismatch", () => parseX509Svid({ chainDer: leaf.der, keyDer, id: two.id }));
  refused("malformed", () => parseX509Svid({ chainDer: leaf.der.subarray(1), keyDer }));
  refused("key", () => parseX509Svid({ chainDer: leaf.der, keyDer: keyDer.subarray(1) }));
});

test("a PEM chain holds certificates and nothing else", () => {
  assert.equal(parseX509SvidPem(leafPem, keyPem).id, one.id);
  refused("malformed", () => parseX509SvidPem(leafPem + keyPem, keyPem));
  refused("malformed", () => parseX509SvidPem(formatPem("X509 CRL", leaf.der), keyPem));
  refused("malformed", () => parseX509SvidPem(leafPem.replace("-----END", "----END"), keyPem));
});
