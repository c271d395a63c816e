import assert from "node:assert/strict";
import { test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import { DerReader } from "./der/der-reader.ts";
import { decodeOid, encodeOid } from "./der/oid.ts";
import {
  encodePrivateKey,
  generateKey,
  parseCertificate,
  parseCsr,
  parsePrivateKey,
} from "./index.ts";
import { PKI_LIMITS } from "./limits.ts";

/** Code and text: of one code, the text alone says which of two checks refused first. */
function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (isBonafideError(error)) return `${error.code} ${error.message}`;
    throw error;
  }
  return "";
}

test("what is too large is refused for its size, before anything of it is read", () => {
  const large = new Uint8Array(PKI_LIMITS.certificateBytes + 1);
  const just = large.subarray(1);
  assert.match(
    codeOf(() => parseCertificate(large)),
    /^CERTIFICATE_MALFORMED .*too large/,
  );
  assert.doesNotMatch(
    codeOf(() => parseCertificate(just)),
    /too large/,
  );
  assert.match(
    codeOf(() => parseCsr(large)),
    /^CSR_MALFORMED .*too large/,
  );
  assert.doesNotMatch(
    codeOf(() => parseCsr(just)),
    /too large/,
  );
  const key = encodePrivateKey(generateKey("ec-p256").privateKey);
  parsePrivateKey(key);
  const padded = new Uint8Array(16_385);
  padded.set(key);
  assert.match(
    codeOf(() => parsePrivateKey(padded)),
    /too large/,
  );
});

test("object identifiers are bounded both ways", () => {
  const longest = `1.2.${"1".repeat(124)}`;
  assert.equal(longest.length, 128);
  encodeOid(longest);
  assert.match(
    codeOf(() => encodeOid(`${longest}1`)),
    /^TEMPLATE_INVALID/,
  );
  const many = `1.2${".1".repeat(62)}`;
  assert.equal(encodeOid(many).length, 63);
  assert.match(
    codeOf(() => encodeOid(`1.2${".300".repeat(31)}.300.1`)),
    /^TEMPLATE_INVALID/,
  );
  for (const octets of [[], Array.from({ length: 65 }, () => 1)]) {
    assert.match(
      codeOf(() => decodeOid(Uint8Array.from(octets), "DER_MALFORMED")),
      /^DER_MALFORMED/,
    );
  }
});

test("a header is refused where it is cut short, of no definite length, or longer than four octets", () => {
  for (const [bytes, why] of [
    [[0x30], "cut short"],
    [[], "cut short"],
    [[0x3f, 0x01, 0x00], "several octets"],
    [[0x30, 0x80, 0x00, 0x00], "length at"],
    [[0x30, 0x84, 0x00, 0x00, 0x00, 0x80], "length at"],
    [[0x30, 0x82, 0x01], "length at"],
  ] as const) {
    const said = codeOf(() => new DerReader(Uint8Array.from(bytes)).enter(0x30));
    assert.ok(said.startsWith("DER_MALFORMED") && said.includes(why), said);
  }
  assert.equal(codeOf(() => new DerReader(Uint8Array.of(1, 2, 0xff, 0xff)).true()) !== "", true);
});
