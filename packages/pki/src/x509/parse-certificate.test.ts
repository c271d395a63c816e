import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { suite, test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import * as fc from "fast-check";
import { concat } from "../der/bytes.ts";
import { encode } from "../der/der-writer.ts";
import { contextGroupTag, contextTag, TAG } from "../der/tags.ts";
import {
  type Certificate,
  describeName,
  encodeName,
  KEY_USAGE,
  keyIdOf,
  parseCertificate,
  parseCertificates,
} from "../index.ts";
import { PKI_LIMITS } from "../limits.ts";
import { madeExtension, makeCertificate, type MadeTemplate, makeKey } from "../testing/index.ts";
import { OID } from "./oids.ts";

const malformed = (error: unknown): boolean => isBonafideError(error, "CERTIFICATE_MALFORMED");
const ascii = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"));
const sequence = (...parts: readonly Uint8Array[]): Uint8Array => encode(TAG.sequence, ...parts);
const TRUE = Uint8Array.of(TAG.boolean, 1, 0xff);
const FALSE = Uint8Array.of(TAG.boolean, 1, 0);
const NULL = Uint8Array.of(TAG.null, 0);
const bare: MadeTemplate = { hasBasicConstraints: false, keyUsage: null, hasKeyIds: false };

function parsed(template: MadeTemplate): Certificate {
  return parseCertificate(makeCertificate(template).der);
}

/** A certificate with exactly one extension. */
function withExtension(oid: string, value: Uint8Array, critical = false): Certificate {
  return parsed({ ...bare, extensions: [madeExtension(oid, critical, value)] });
}

suite("what a certificate says", () => {
  test("every field of a leaf, and node:crypto agrees where it has the field", () => {
    const key = makeKey();
    const made = makeCertificate({
      key,
      commonName: "web",
      uris: ["spiffe://a/x"],
      dnsNames: ["x.org"],
      otherNames: [encode(contextTag(7), Uint8Array.of(127, 0, 0, 1))],
      extendedKeyUsage: [OID.serverAuth, "1.2.3.4"],
      serial: Uint8Array.of(0, 0x80, 1),
      notBefore: Date.UTC(2026, 0, 1),
      notAfter: Date.UTC(2026, 0, 2),
    });
    const certificate = parseCertificate(made.der);
    const node = new X509Certificate(Buffer.from(made.der));
    assert.deepEqual(certificate.der, made.der);
    assert.equal(certificate.serial, 0x8001n);
    assert.equal(certificate.serialText, "32769");
    assert.equal(node.serialNumber, "8001");
    assert.equal(certificate.signatureAlgorithm, "1.2.840.10045.4.3.2");
    assert.equal(node.signatureAlgorithmOid, certificate.signatureAlgorithm);
    assert.equal(describeName(certificate.subject), "CN=web");
    assert.deepEqual(certificate.subject, encodeName([{ type: "CN", value: "web" }]));
    assert.equal(certificate.notBefore, Date.UTC(2026, 0, 1));
    assert.equal(certificate.notAfter, Date.UTC(2026, 0, 2));
    assert.deepEqual(certificate.spki, key.spki);
    assert.equal(certificate.isAuthority, false);
    assert.equal(certificate.pathLength, undefined);
    assert.equal(certificate.keyUsage, KEY_USAGE.digitalSignature);
    assert.deepEqual(certificate.extendedKeyUsage, [OID.serverAuth, "1.2.3.4"]);
    assert.deepEqual(certificate.subjectKeyId, keyIdOf(key.spki));
    assert.deepEqual(certificate.authorityKeyId, keyIdOf(key.spki));
    assert.deepEqual(
      certificate.alternativeNames.map(({ kind }) => kind),
      ["uri", "dns", "ip"],
    );
    assert.deepEqual([certificate.uris, certificate.dnsNames], [["spiffe://a/x"], ["x.org"]]);
    assert.equal(certificate.criticalUnknown, undefined);
    assert.equal(certificate.extensions.size, 6);
  });

  test("what is absent is undefined, not a default", () => {
    const certificate = parsed({ ...bare, extensions: [madeExtension("1.2.3", false, NULL)] });
    assert.equal(certificate.keyUsage, undefined);
    assert.equal(certificate.extendedKeyUsage, undefined);
    assert.equal(certificate.subjectKeyId, undefined);
    assert.equal(certificate.authorityKeyId, undefined);
    assert.equal(certificate.uriConstraints, undefined);
    assert.deepEqual(certificate.alternativeNames, []);
  });

  test("the input may change afterwards, the certificate does not", () => {
    const { der } = makeCertificate({ uris: ["a:b"] });
    const before = der.slice();
    const certificate = parseCertificate(der);
    der.fill(0);
    assert.deepEqual(certificate.der, before);
  });

  test("an authority's path length and constraints", () => {
    const certificate = parsed({
      isAuthority: true,
      pathLength: 3,
      permitted: ["Example.ORG", ".b"],
      excluded: ["c"],
    });
    assert.equal(certificate.isAuthority, true);
    assert.equal(certificate.pathLength, 3);
    const expected = { permitted: ["example.org", ".b"], excluded: ["c"] };
    assert.deepEqual(certificate.uriConstraints, expected);
  });

  test("an unknown critical extension is remembered by its OID, the first of several", () => {
    const extensions = [
      madeExtension("1.2.3", false, NULL),
      madeExtension("1.2.4", true, NULL),
      madeExtension("1.2.5", true, NULL),
    ];
    assert.equal(parsed({ extensions }).criticalUnknown, "1.2.4");
    assert.equal(withExtension("2.5.29.32", NULL, true).criticalUnknown, "2.5.29.32");
  });

  test("an algorithm that is not accepted is parsed by its OID, with its parameters", () => {
    const certificate = parsed({ keyKind: "rsa-2048", signatureHash: "sha1" });
    assert.equal(certificate.signatureAlgorithm, "1.2.840.113549.1.1.5");
  });

  test("an authority key identifier may hold only issuer and serial number", () => {
    const directory = encode(contextGroupTag(4), encodeName([{ type: "CN", value: "x" }]));
    const issuer = encode(contextGroupTag(1), directory);
    const serial = encode(contextTag(2), Uint8Array.of(1));
    assert.equal(
      withExtension(OID.authorityKeyId, sequence(issuer, serial)).authorityKeyId,
      undefined,
    );
  });

  test("names for people hide no control character and fake no attribute", () => {
    const name = encodeName([{ type: "CN", value: "a, O=evil\u001b[2J\u202e" }]);
    assert.equal(describeName(name), "CN=a\\u{2c} O\\u{3d}evil\\u{1b}[2J\\u{202e}");
    const odd = sequence(encode(TAG.set, sequence(encode(TAG.oid, Uint8Array.of(42)), NULL)));
    assert.equal(describeName(odd), "1.2=#");
    assert.equal(describeName(encodeName([])), "");
  });

  test("refuses to write a name without a value, too long, too many, or ill-formed", () => {
    const values = ["", "x".repeat(256), "\ud800"];
    const names = values.map((value) => [{ type: "CN" as const, value }]);
    names.push(Array.from({ length: 33 }, () => ({ type: "CN" as const, value: "x" })));
    for (const name of names) {
      assert.throws(
        () => encodeName(name),
        (error) => isBonafideError(error, "TEMPLATE_INVALID"),
      );
    }
  });
});

suite("certificates one after the other", () => {
  const one = makeCertificate({ uris: ["a:1"] }).der;
  const two = makeCertificate({ uris: ["a:2"] }).der;

  test("are read in order, and each is its own", () => {
    const uris = parseCertificates(concat(one, two)).map((certificate) => certificate.uris[0]);
    assert.deepEqual(uris, ["a:1", "a:2"]);
    assert.deepEqual(parseCertificates(new Uint8Array(0)), []);
  });
  test("are refused with anything left over, and beyond the limit", () => {
    assert.throws(() => parseCertificates(concat(one, two.subarray(0, -1))), malformed);
    assert.throws(() => parseCertificates(concat(one, Uint8Array.of(0))), malformed);
    const many = Array.from({ length: PKI_LIMITS.certificates + 1 }, () => one);
    assert.throws(() => parseCertificates(concat(...many)), malformed);
  });
});

suite("extensions that are refused", () => {
  const uri = encode(contextTag(6), ascii("a:b"));
  const host = encode(contextTag(6), ascii("a"));
  const refused: Readonly<Record<string, readonly [string, Uint8Array]>> = {
    "no names": [OID.subjectAltName, sequence()],
    "an empty URI": [OID.subjectAltName, sequence(encode(contextTag(6)))],
    "a URI with a space": [OID.subjectAltName, sequence(encode(contextTag(6), ascii("a b")))],
    "a URI beyond ASCII": [OID.subjectAltName, sequence(encode(contextTag(6), ascii("ä")))],
    "a URI that is too long": [
      OID.subjectAltName,
      sequence(encode(contextTag(6), ascii("x".repeat(2049)))),
    ],
    "a constructed URI": [OID.subjectAltName, sequence(encode(contextGroupTag(6), uri))],
    "a name of unknown kind": [OID.subjectAltName, sequence(encode(contextTag(9), ascii("x")))],
    "an IP address of 5 octets": [
      OID.subjectAltName,
      sequence(encode(contextTag(7), new Uint8Array(5))),
    ],
    "too many names": [
      OID.subjectAltName,
      sequence(...Array.from({ length: PKI_LIMITS.alternativeNames + 1 }, () => uri)),
    ],
    "names with a tail": [OID.subjectAltName, concat(sequence(uri), NULL)],
    "CA false written out": [OID.basicConstraints, sequence(FALSE)],
    "a path length of a leaf": [OID.basicConstraints, sequence(Uint8Array.of(2, 1, 0))],
    "a path length of 128": [OID.basicConstraints, sequence(TRUE, Uint8Array.of(2, 2, 0, 0x80))],
    "constraints with a tail": [OID.basicConstraints, sequence(TRUE, Uint8Array.of(2, 1, 0), NULL)],
    "key usage for nothing": [OID.keyUsage, Uint8Array.of(3, 2, 7, 0)],
    "key usage with padding set": [OID.keyUsage, Uint8Array.of(3, 2, 7, 0xff)],
    "no extended key usage": [OID.extendedKeyUsage, sequence()],
    "a key identifier that is no octet string": [OID.subjectKeyId, NULL],
    "an issuer's identifier with a tail": [OID.authorityKeyId, sequence(NULL)],
    "no name constraint": [OID.nameConstraints, sequence()],
    "an empty list of constraints": [OID.nameConstraints, sequence(encode(contextGroupTag(0)))],
    "constraints in the wrong order": [
      OID.nameConstraints,
      sequence(
        encode(contextGroupTag(1), sequence(host)),
        encode(contextGroupTag(0), sequence(host)),
      ),
    ],
    "a constraint with a distance": [
      OID.nameConstraints,
      sequence(encode(contextGroupTag(0), sequence(host, Uint8Array.of(0x80, 1, 0)))),
    ],
    "too many constraints": [
      OID.nameConstraints,
      sequence(encode(contextGroupTag(0), ...Array.from({ length: 257 }, () => sequence(host)))),
    ],
  };
  for (const [name, [oid, value]] of Object.entries(refused)) {
    test(`refuses ${name}`, () => {
      assert.throws(() => withExtension(oid, value), malformed);
    });
  }

  test("refuses critical written as false, and an empty list of extensions", () => {
    const extension = sequence(
      Uint8Array.of(TAG.oid, 2, 42, 3),
      FALSE,
      encode(TAG.octetString, NULL),
    );
    assert.throws(() => parsed({ extensions: [extension] }), malformed);
    assert.throws(() => parsed(bare), malformed);
  });

  test("refuses more extensions than the limit", () => {
    const extensions = Array.from({ length: PKI_LIMITS.extensions + 1 }, (_, index) =>
      madeExtension(`1.2.3.${index}`, false, NULL),
    );
    assert.throws(() => parsed({ extensions }), malformed);
  });

  test("constraints that cannot be judged make an authority useless, not broad", () => {
    const kinds = [
      encode(contextTag(2), ascii("example.org")),
      encode(contextTag(6), ascii("spiffe://a")),
      encode(contextTag(6), ascii("")),
      encode(contextTag(6), ascii(".")),
    ];
    for (const kind of kinds) {
      for (const side of [0, 1]) {
        const value = sequence(encode(contextGroupTag(side), sequence(kind)));
        assert.equal(
          withExtension(OID.nameConstraints, value).criticalUnknown,
          OID.nameConstraints,
        );
      }
    }
  });
});

suite("bytes that are refused", () => {
  const good = makeCertificate({ uris: ["spiffe://a/x"] }).der;

  test("nothing, too much, and every prefix", () => {
    assert.throws(() => parseCertificate(new Uint8Array(0)), malformed);
    assert.throws(() => parseCertificate(new Uint8Array(40_000)), malformed);
    for (let length = 0; length < good.length; length++) {
      assert.throws(() => parseCertificate(good.subarray(0, length)), malformed);
    }
  });

  test("other versions, other serial numbers", () => {
    for (const version of [0, 1, 3]) assert.throws(() => parsed({ version }), malformed);
    const serials = [[], [0x80], [0, 1], Array.from({ length: 21 }, () => 1)];
    for (const serial of serials) {
      assert.throws(() => parsed({ serial: Uint8Array.from(serial) }), malformed);
    }
    assert.ok(parsed({ serial: new Uint8Array(20).fill(1) }).serial > 2n ** 152n);
  });

  test("a name whose value is no text, or not of the text it says", () => {
    const { der } = makeCertificate({ commonName: "web" });
    const at = Buffer.from(der).indexOf(Uint8Array.of(TAG.printableString, 3, ...ascii("web")));
    for (const tag of [TAG.octetString, TAG.sequence, TAG.bmpString, TAG.numericString]) {
      assert.throws(() => parseCertificate(der.with(at, tag)), malformed);
    }
    for (const tag of [TAG.utf8String, TAG.ia5String, TAG.teletexString]) {
      parseCertificate(der.with(at, tag));
      if (tag !== TAG.teletexString) {
        assert.throws(() => parseCertificate(der.with(at, tag).with(at + 2, 0xff)), malformed);
      }
    }
    assert.throws(() => parseCertificate(der.with(at + 2, 0x40)), malformed);
  });

  test("an alternative name that is not what it says", () => {
    const oid = Uint8Array.of(TAG.oid, 1, 42);
    const sound = [
      encode(contextGroupTag(0), oid, encode(contextGroupTag(0), NULL)),
      encode(contextGroupTag(4), encodeName([{ type: "CN", value: "x" }])),
      encode(contextTag(8), Uint8Array.of(42)),
    ];
    for (const each of sound) parsed({ otherNames: [each] });
    const unsound = [
      encode(contextGroupTag(0), ascii("x")),
      encode(contextGroupTag(0), oid),
      encode(contextGroupTag(0), oid, encode(contextGroupTag(0), NULL, NULL)),
      encode(contextGroupTag(0), oid, encode(contextGroupTag(0), NULL), NULL),
      encode(contextGroupTag(4), NULL),
      encode(contextGroupTag(4), encodeName([]), NULL),
      encode(contextTag(8), Uint8Array.of(0x80)),
      encode(contextGroupTag(3), sequence()),
      encode(contextGroupTag(5), sequence()),
    ];
    for (const each of unsound) assert.throws(() => parsed({ otherNames: [each] }), malformed);
  });

  test("a URI name that is no URI", () => {
    for (const uri of ["//a/x", "a/x", "1a:b", "a:%2", "a://b:c/", "a://b/[", "a:b#c#d", "a://["]) {
      assert.throws(() => parsed({ uris: [uri] }), malformed, uri);
    }
    for (const uri of ["urn:a:b", "a:", "a://u:p@b:80/x?y#z", "a://[::1]/", "a:///b", "a:%2f"]) {
      parsed({ uris: [uri] });
    }
  });

  test("an accepted algorithm with parameters that are not its own", () => {
    const oid = Uint8Array.of(TAG.oid, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2);
    assert.throws(() => parsed({ innerAlgorithm: sequence(oid, NULL) }), malformed);
    const der = good.slice();
    const at = Buffer.from(der).indexOf(oid);
    const both = Buffer.from(der);
    // SHA-384 inside, SHA-256 outside.
    both[at + 9] = 3;
    assert.throws(() => parseCertificate(both), malformed);
  });

  test("any change of a byte gives a certificate or CERTIFICATE_MALFORMED", () => {
    const authority = makeCertificate({ isAuthority: true, pathLength: 1, permitted: ["a"] }).der;
    for (const der of [good, authority]) {
      for (let at = 0; at < der.length; at++) {
        for (const octet of [0, 1, 0x30, 0x7f, 0x80, 0x81, 0xa0, 0xff]) {
          const mutated = der.slice();
          mutated[at] = octet;
          attempt(mutated);
        }
      }
    }
  });

  test("any bytes, and any cut and splice, give a certificate or CERTIFICATE_MALFORMED", () => {
    const at = fc.nat(good.length);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), at, at, (bytes, from, to) => {
        attempt(bytes);
        attempt(concat(good.subarray(0, from), bytes, good.subarray(to)));
      }),
      { numRuns: 3000 },
    );
  });
});

/** Parses; anything but a certificate or the one code fails the test. */
function attempt(der: Uint8Array): void {
  try {
    assert.ok(parseCertificate(der).tbs.length > 0);
  } catch (error) {
    if (!malformed(error)) throw error;
  }
}
