import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import * as fc from "fast-check";
import { SPIFFE_ID_BYTES_MAX } from "../limits.ts";
import { parseTrustDomain } from "./parse-trust-domain.ts";
import {
  isMemberOf,
  isReserved,
  isSpiffeId,
  parseSpiffeId,
  pathOf,
  segmentsOf,
  spiffeIdOf,
  trustDomainOf,
} from "./spiffe-id.ts";
import { isTrustDomain, parseTrustDomainName } from "./trust-domain.ts";

interface Vectors {
  readonly accept: readonly {
    readonly ids: readonly string[];
    readonly input: string;
    readonly trustDomain: string;
    readonly path: string;
  }[];
  readonly reject: readonly {
    readonly ids: readonly string[];
    readonly input: string;
    readonly reason: string;
  }[];
  readonly trustDomain: {
    readonly accept: readonly { readonly input: string; readonly trustDomain: string }[];
    readonly reject: readonly string[];
  };
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own file
const vectors = JSON.parse(
  readFileSync(new URL("testdata/spiffe-id-vectors.json", import.meta.url), "utf8"),
) as Vectors;

const show = (text: string): string => JSON.stringify(text);

for (const { ids, input, trustDomain, path } of vectors.accept) {
  test(`${ids.join(", ")} (SPIFFE-ID §2): accepts ${show(input)}`, () => {
    const id = parseSpiffeId(input);
    assert.equal(id, input);
    assert.equal(trustDomainOf(id), trustDomain);
    assert.equal(pathOf(id), path);
    assert.equal(spiffeIdOf(trustDomainOf(id), ...segmentsOf(id)), input);
  });
}

for (const { ids, input, reason } of vectors.reject) {
  test(`${ids.join(", ")} (SPIFFE-ID §2): refuses ${show(input)} as ${reason}`, () => {
    assert.ok(!isSpiffeId(input));
    assert.throws(() => parseSpiffeId(input), rejection("SPIFFE_ID_INVALID", reason));
  });
}

/** Every byte as a character, and the code units around the ASCII look-alikes. */
const characters = Array.from({ length: 0x10000 }, (_, code) => String.fromCharCode(code));

test("SID-06 (SPIFFE-ID §2.1): exactly 39 characters of all 65536 are allowed in a trust domain", () => {
  const accepted = characters.filter((c) => c !== "/" && isSpiffeId(`spiffe://t${c}d/a`));
  assert.equal(accepted.join(""), "-.0123456789_abcdefghijklmnopqrstuvwxyz".split("").join(""));
  assert.equal(accepted.length, 39);
  assert.deepEqual(
    characters.filter((c) => isTrustDomain(c)),
    accepted,
  );
});

test("SID-12 (SPIFFE-ID §2.2): exactly 65 characters of all 65536 are allowed in a segment", () => {
  const accepted = characters.filter((c) => c !== "/" && isSpiffeId(`spiffe://td/a${c}b`));
  assert.equal(
    accepted.join(""),
    "-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz",
  );
  assert.equal(accepted.length, 65);
  for (const place of ["spiffe://td/*", "spiffe://td/*a", "spiffe://td/a*"]) {
    const there = characters.filter((c) => c !== "/" && isSpiffeId(place.replace("*", () => c)));
    const lost = place.endsWith("/*") ? accepted.filter((c) => c !== ".") : accepted;
    assert.deepEqual(there, lost);
  }
});

test("SID-13 (SPIFFE-ID §2.3): accepts an ID of exactly 2048 bytes", () => {
  const id = `spiffe://td/${"a".repeat(SPIFFE_ID_BYTES_MAX - 12)}`;
  assert.equal(id.length, 2048);
  assert.equal(parseSpiffeId(id), id);
});

test("SID-14 (SPIFFE-ID §2.3): generates no ID longer than 2048 bytes, reads one by option only", () => {
  const id = `spiffe://td/${"a".repeat(SPIFFE_ID_BYTES_MAX - 11)}`;
  assert.throws(() => parseSpiffeId(id), rejection("SPIFFE_ID_INVALID", "too-long"));
  assert.equal(parseSpiffeId(id, { lengthMax: 4096 }), id);
  assert.throws(
    () => spiffeIdOf(parseTrustDomain("td"), "a".repeat(2048)),
    rejection("SPIFFE_ID_INVALID", "too-long"),
  );
});

test("SID-15 (SPIFFE-ID §2.3): accepts a trust domain of 255 bytes and refuses one of 256", () => {
  assert.equal(trustDomainOf(parseSpiffeId(`spiffe://${"a".repeat(255)}/b`)).length, 255);
  assert.throws(
    () => parseSpiffeId(`spiffe://${"a".repeat(256)}/b`),
    rejection("SPIFFE_ID_INVALID", "trust-domain-too-long"),
  );
  assert.throws(
    () => parseTrustDomainName("a".repeat(256)),
    rejection("TRUST_DOMAIN_INVALID", "too-long"),
  );
});

test("SID-16 (SPIFFE-ID §2.4): paths differ by case", () => {
  assert.notEqual(parseSpiffeId("spiffe://td/A"), parseSpiffeId("spiffe://td/a"));
});

test("SID-08 (SPIFFE-ID §2.1): a trailing dot makes another trust domain", () => {
  const id = parseSpiffeId("spiffe://td./a");
  assert.ok(!isMemberOf(id, parseTrustDomain("td")));
  assert.ok(isMemberOf(id, parseTrustDomain("td.")));
});

for (const { input, trustDomain } of vectors.trustDomain.accept) {
  test(`a trust domain argument may be ${show(input)}`, () => {
    assert.equal(parseTrustDomain(input), trustDomain);
  });
}
for (const input of vectors.trustDomain.reject) {
  test(`a trust domain argument may not be ${show(input)}`, () => {
    assert.throws(() => parseTrustDomain(input), isBonafideError);
  });
}

test("an ID under /spire is reserved, one beside it is not", () => {
  for (const [text, reserved] of [
    ["spiffe://td/spire", true],
    ["spiffe://td/spire/agent/x", true],
    ["spiffe://td/spire/server", true],
    ["spiffe://td/spirex", false],
    ["spiffe://td/a/spire", false],
    ["spiffe://spire/a", false],
    ["spiffe://td", false],
  ] as const) {
    assert.equal(isReserved(parseSpiffeId(text)), reserved, text);
  }
});

test("a built ID takes no slash inside a segment and no segment that is empty or dots", () => {
  const td = parseTrustDomain("td");
  assert.equal(spiffeIdOf(td), "spiffe://td");
  for (const segment of ["a/b", "/", "", ".", "..", "a b", "ä"]) {
    assert.throws(() => spiffeIdOf(td, segment), isBonafideError, segment);
  }
});

test("SID-01 (SPIFFE-ID §2): parse and build are each other's inverse, and no text crashes the parser", () => {
  const segment = fc.stringMatching(/^[a-zA-Z0-9._-]{1,20}$/).filter((s) => !/^\.{1,2}$/.test(s));
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z0-9._-]{1,30}$/), fc.array(segment), (td, path) => {
      const id = spiffeIdOf(parseTrustDomain(td), ...path);
      assert.deepEqual([trustDomainOf(id), ...segmentsOf(parseSpiffeId(id))], [td, ...path]);
    }),
  );
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      if (!isSpiffeId(`spiffe://${text}`)) {
        assert.throws(() => parseSpiffeId(`spiffe://${text}`), isBonafideError);
      }
    }),
    { numRuns: 2000 },
  );
});

function rejection(code: string, reason: string): (error: unknown) => boolean {
  return (error) => isBonafideError(error, code) && error.details["reason"] === reason;
}
