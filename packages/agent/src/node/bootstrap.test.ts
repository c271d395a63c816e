import assert from "node:assert/strict";
import { test } from "node:test";
import { formatPem, parsePem } from "@bonafide/pki";
import { formatSpiffeBundle } from "@bonafide/spiffe";
import { TestTrustDomain } from "@bonafide/spiffe/testing";
import { withRecoveryKey } from "./bootstrap-key.ts";
import { parseBootstrap } from "./bootstrap.ts";

const { trustDomain, bundle } = new TestTrustDomain("example.org");
const pem = bundle.authorities.map(({ der }) => formatPem("CERTIFICATE", der)).join("");
const document = formatSpiffeBundle({
  trustDomain,
  sequence: 2n ** 60n,
  refreshHintSeconds: undefined,
  x509: bundle,
  jwtAuthorities: [],
  witAuthorities: [],
});

test("a bootstrap bundle of either form may carry the recovery key, and is the same bundle without", () => {
  const key = Uint8Array.from({ length: 32 }, (_, i) => i * 7);
  for (const text of [pem, document]) {
    const plain = parseBootstrap(trustDomain, text);
    assert.equal(plain.recoveryKey, undefined);
    const both = parseBootstrap(trustDomain, withRecoveryKey(text, key));
    assert.deepEqual(both.recoveryKey, key);
    assert.deepEqual(both.bundle, plain.bundle);
  }
  assert.equal(parsePem(withRecoveryKey(pem, key)).length, 1);
});

test("a recovery key that is none is refused, and not passed over", () => {
  const texts = [
    withRecoveryKey(pem, new Uint8Array(31)),
    withRecoveryKey(document, new Uint8Array(33)),
    `# bonafide recovery key:\n${pem}`,
    document.replace("{", '{"bonafide_recovery_key":7,'),
  ];
  for (const text of texts) {
    assert.throws(() => parseBootstrap(trustDomain, text), { code: "BOOTSTRAP_BUNDLE_INVALID" });
  }
});
