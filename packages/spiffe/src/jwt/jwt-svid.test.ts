import assert from "node:assert/strict";
import {
  constants,
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from "node:crypto";
import { suite, test } from "node:test";
import { inspect } from "node:util";
import { isBonafideError } from "@bonafide/errors";
import { JWS_ALGORITHMS, type JwsAlgorithm, jwsSigner, keySigner } from "@bonafide/pki";
import * as fc from "fast-check";
import {
  formatSpiffeBundle,
  type JwtBundle,
  jwtBundleOf,
  jwtBundleSetOf,
  parseJwtBundle,
  parseJwtSvid,
  parseSpiffeBundle,
  parseSpiffeId,
  parseTrustDomainName,
  signJwtSvid,
  VerifiedJwtSvid,
  verifyJwtSvid,
  type VerifyJwtSvidOptions,
} from "../index.ts";

const NOW = 1_800_000_000_000;
const SECONDS = NOW / 1000;
const AUDIENCE = "spiffe://example.org/db";
const td = parseTrustDomainName("example.org");
const keys = {
  ES256: generateKeyPairSync("ec", { namedCurve: "P-256" }),
  ES384: generateKeyPairSync("ec", { namedCurve: "P-384" }),
  ES512: generateKeyPairSync("ec", { namedCurve: "P-521" }),
  RSA: generateKeyPairSync("rsa", { modulusLength: 2048 }),
};
const bundleOf = (entries: Readonly<Record<string, KeyObject>>, name = td): JwtBundle =>
  jwtBundleOf(
    name,
    Object.entries(entries).map(([keyId, publicKey]) => ({ keyId, publicKey })),
  );
const own = bundleOf({
  es256: keys.ES256.publicKey,
  es384: keys.ES384.publicKey,
  es512: keys.ES512.publicKey,
  rsa: keys.RSA.publicKey,
});
const bundles = jwtBundleSetOf([own]);
const CLAIMS = { sub: "spiffe://example.org/web", aud: [AUDIENCE], exp: SECONDS + 300 };
const options: VerifyJwtSvidOptions = { audience: AUDIENCE, now: NOW };

const encode = (value: unknown): string =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

/** Signs whatever it is given, as the algorithm has it. */
function signed(
  header: Readonly<Record<string, unknown>> | string,
  payload: unknown,
  algorithm: JwsAlgorithm = "ES256",
): string {
  const text = `${encode(header)}.${encode(payload)}`;
  return `${text}.${signature(text, algorithm).toString("base64url")}`;
}

function signature(text: string, algorithm: JwsAlgorithm): Buffer {
  const hash = `sha${algorithm.slice(2)}`;
  const input = Buffer.from(text);
  if (algorithm === "ES256" || algorithm === "ES384" || algorithm === "ES512") {
    return sign(hash, input, { key: keys[algorithm].privateKey, dsaEncoding: "ieee-p1363" });
  }
  const padding = algorithm.startsWith("PS")
    ? constants.RSA_PKCS1_PSS_PADDING
    : constants.RSA_PKCS1_PADDING;
  const saltLength = constants.RSA_PSS_SALTLEN_DIGEST;
  return sign(hash, input, { key: keys.RSA.privateKey, padding, saltLength });
}

const HEADER = { alg: "ES256", kid: "es256", typ: "JWT" };
const verify = (token: string, more: Partial<VerifyJwtSvidOptions> = {}): VerifiedJwtSvid =>
  verifyJwtSvid(token, bundles, { ...options, ...more });

function refused(token: string, reason: string, more: Partial<VerifyJwtSvidOptions> = {}): void {
  assert.throws(
    () => verify(token, more),
    (error) => {
      const isOurs =
        isBonafideError(error, "JWT_SVID_INVALID") || isBonafideError(error, "JWT_SVID_UNTRUSTED");
      assert.ok(isOurs, inspect(error));
      assert.equal(error.details["reason"], reason);
      assert.ok(!error.message.includes(token) || token.length < 10);
      return true;
    },
  );
}

const withHeader = (header: Readonly<Record<string, unknown>>): string => signed(header, CLAIMS);
const withClaims = (claims: Readonly<Record<string, unknown>>): string =>
  signed(HEADER, { ...CLAIMS, ...claims });

suite("the form of a JWT-SVID", () => {
  const token = withClaims({});

  test("JWT-01 (JWT-SVID §1, §5.1): only the compact form of three parts, in one spelling", () => {
    assert.equal(verify(token).id, CLAIMS.sub);
    const [header = "", payload = "", sig = ""] = token.split(".");
    const json = JSON.stringify({ payload, protected: header, signature: sig });
    const general = JSON.stringify({
      payload,
      signatures: [{ protected: header, signature: sig }],
    });
    const others = [
      json,
      general,
      `${header}.${payload}`,
      `${header}..${sig}`,
      `.${payload}.${sig}`,
      token.replaceAll(".", " . "),
      token.replace(".", ".."),
      ` ${token}`,
      "",
      ".",
      "..",
    ];
    for (const tail of [".", `.${sig}`, `.${sig}.${sig}`, "=", " ", "\n"])
      others.push(token + tail);
    for (const other of others) refused(other, "not-compact");
    refused("a".repeat(200_000), "too-long");
  });

  test("JWT-01 (JWT-SVID §1, §5.1): left-over bits are no second spelling", () => {
    const [header = "", payload = "", sig = ""] = token.split(".");
    // 64 octets leave four bits over in the last character.
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const last = alphabet.indexOf(sig.at(-1) ?? "");
    for (let bits = 1; bits < 16; bits++) {
      const other = `${sig.slice(0, -1)}${alphabet[last ^ bits] ?? ""}`;
      refused(`${header}.${payload}.${other}`, "signature-base64url");
    }
    refused(`${header}.${payload}.${sig.slice(0, -2)}`, "signature");
  });

  test("JWT-03 (JWT-SVID §2): an unsecured token is none", () => {
    for (const alg of ["none", "None", "NONE", ""]) {
      refused(withHeader({ ...HEADER, alg }), "algorithm");
      refused(`${encode({ ...HEADER, alg })}.${encode(CLAIMS)}.`, "not-compact");
    }
    const [header = "", payload = ""] = token.split(".");
    refused(`${header}.${payload}.`, "not-compact");
    refused(`${header}.${payload}.AA`, "signature");
  });

  for (const algorithm of JWS_ALGORITHMS) {
    test(`JWT-04 (JWT-SVID §2.1, §4): ${algorithm} is accepted`, () => {
      const kid = algorithm.startsWith("ES") ? algorithm.toLowerCase() : "rsa";
      assert.equal(verify(signed({ alg: algorithm, kid }, CLAIMS, algorithm)).id, CLAIMS.sub);
      // Without a key ID every key that fits is tried (C6).
      assert.equal(verify(signed({ alg: algorithm }, CLAIMS, algorithm)).id, CLAIMS.sub);
    });
  }

  test("JWT-04 (JWT-SVID §2.1, §4): no other algorithm, and no key used as a secret", () => {
    const others = ["HS256", "HS384", "HS512", "EdDSA", "ES256K", "RSA-OAEP", "es256", "ES256 "];
    for (const alg of [...others, 1, null, ["ES256"], {}]) {
      refused(withHeader({ ...HEADER, alg }), "algorithm");
    }
    refused(withHeader({ kid: "es256" }), "algorithm");
    const pem = keys.RSA.publicKey.export({ format: "pem", type: "spki" });
    const text = `${encode({ alg: "HS256", kid: "rsa" })}.${encode(CLAIMS)}`;
    const mac = createHmac("sha256", pem).update(text).digest("base64url");
    refused(`${text}.${mac}`, "algorithm");
  });

  test("JWT-05 (JWT-SVID §2.2): a key ID is optional, and decides when it is there", () => {
    assert.equal(verify(withHeader({ alg: "ES256" })).id, CLAIMS.sub);
    refused(withHeader({ ...HEADER, kid: "unknown" }), "key-unknown");
    refused(withHeader({ ...HEADER, kid: "es384" }), "key-unknown");
    for (const kid of ["", 1, null, ["es256"]]) refused(withHeader({ ...HEADER, kid }), "key-id");
  });

  test("JWT-06 (JWT-SVID §2.3): the type is JWT, JOSE or absent", () => {
    for (const typ of ["JWT", "JOSE"]) verify(withHeader({ ...HEADER, typ }));
    verify(withHeader({ alg: "ES256", kid: "es256" }));
    for (const typ of ["jwt", "at+jwt", "wit+jwt", "JWT ", "", 1, null, ["JWT"]]) {
      refused(withHeader({ ...HEADER, typ }), "type");
    }
  });

  test("a critical member is refused, a key inside the token never used", () => {
    for (const crit of [["exp"], ["b64"], [], "x", null]) {
      refused(withHeader({ ...HEADER, crit, b64: false }), "critical-header");
    }
    const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const jwk = stranger.publicKey.export({ format: "jwk" });
    const header = { ...HEADER, jwk, jku: "https://evil.example/", x5u: "https://evil.example/" };
    const text = `${encode(header)}.${encode(CLAIMS)}`;
    const forged = sign("sha256", Buffer.from(text), {
      key: stranger.privateKey,
      dsaEncoding: "ieee-p1363",
    });
    refused(`${text}.${forged.toString("base64url")}`, "signature");
    verify(withHeader(header));
  });

  test("no member counts twice, and header and claims are objects", () => {
    refused(signed('{"alg":"ES256","alg":"none","kid":"es256"}', CLAIMS), "header");
    refused(signed('{"alg":"none","alg":"ES256","kid":"es256"}', CLAIMS), "header");
    const twice = `{"sub":"spiffe://example.org/a","sub":"${CLAIMS.sub}","aud":"a","exp":1}`;
    refused(signed(HEADER, twice), "claims");
    for (const claims of ["[]", '"x"', "null", "1", "{", "{}x", "\uFEFF{}", "{'a':1}"]) {
      refused(signed(HEADER, claims), "claims");
    }
    const text = `${encode(HEADER)}.${Buffer.from([0x22, 0xff, 0x22]).toString("base64url")}`;
    refused(`${text}.${signature(text, "ES256").toString("base64url")}`, "claims");
  });
});

suite("the claims of a JWT-SVID", () => {
  test("JWT-07 (JWT-SVID §3.1): the subject is a SPIFFE ID", () => {
    const others = ["", "web", "https://example.org/web", "spiffe://EXAMPLE.org/web", "spiffe://"];
    for (const sub of [...others, "spiffe://example.org/web/", 1, null, [CLAIMS.sub], undefined]) {
      refused(withClaims({ sub }), "subject");
    }
    const longest = `spiffe://example.org/${"a".repeat(2048 - 21)}`;
    assert.equal(verify(withClaims({ sub: longest })).id, longest);
  });

  test("JWT-08 (JWT-SVID §3.2, §4): one audience is ours, letter for letter", () => {
    for (const aud of [AUDIENCE, [AUDIENCE], ["other", AUDIENCE]]) verify(withClaims({ aud }));
    for (const aud of [undefined, null, [], "", [""], [1], 1, {}, [AUDIENCE, 1], [[AUDIENCE]]]) {
      refused(withClaims({ aud }), "audience");
    }
    // Within 32 texts of 2048 bytes, and more than 16 KiB: as JSON a control character takes six.
    for (const aud of [
      [AUDIENCE, "\u0001".repeat(2048), "\u0002".repeat(1024)],
      [AUDIENCE, ...Array.from({ length: 8 }, () => "a".repeat(2048))],
    ]) {
      refused(withClaims({ aud }), "audience");
    }
    const near = [AUDIENCE.slice(0, -1), `${AUDIENCE}/`, AUDIENCE.toUpperCase(), ` ${AUDIENCE}`];
    for (const aud of near) refused(withClaims({ aud }), "audience");
    refused(withClaims({}), "audience", { audience: ["x", "y"] });
    verify(withClaims({}), { audience: ["x", AUDIENCE] });
    for (const audience of [[], "", [""]]) {
      assert.throws(() => verify(withClaims({}), { audience }), TypeError);
    }
  });

  test("JWT-10 (JWT-SVID §3.3, §4): the end is there and not past, but for the leeway", () => {
    for (const exp of [undefined, null, "1900000000", [1], -1, 1e20, true]) {
      refused(withClaims({ exp }), "expiry");
    }
    const leewayMs = 60_000;
    assert.equal(verify(withClaims({ exp: SECONDS - 59 })).expiresAt, NOW - 59_000);
    for (const past of [60, 61, 3600]) refused(withClaims({ exp: SECONDS - past }), "expired");
    refused(withClaims({ exp: SECONDS - 59 }), "expired", { leewayMs: 59_000 });
    refused(withClaims({ exp: SECONDS }), "expired", { leewayMs: 0 });
    verify(withClaims({ exp: SECONDS + 0.5 }), { leewayMs: 0 });
    // No caller can widen it beyond a minute.
    refused(withClaims({ exp: SECONDS - 61 }), "expired", { leewayMs: leewayMs * 10 });
    refused(withClaims({}), "expired", { now: Number.NaN });
    refused(withClaims({}), "expired", { leewayMs: Number.NaN });
  });

  test("JWT-19 (JWT-SVID §4): nor begins it in the future, by nbf or iat", () => {
    for (const name of ["nbf", "iat"]) {
      verify(withClaims({ [name]: SECONDS + 60 }));
      refused(withClaims({ [name]: SECONDS + 61 }), "not-yet-valid");
      refused(withClaims({ [name]: SECONDS + 1 }), "not-yet-valid", { leewayMs: 0 });
      for (const odd of [null, "1", [], -1, 1e20]) refused(withClaims({ [name]: odd }), name);
    }
  });

  test("JWT-17 (JWT-SVID §7.1): a token ID may be there, and twice", () => {
    const token = withClaims({ jti: "one", iss: "https://example.org", role: "admin" });
    assert.equal(verify(token).claims.get("jti"), "one");
    assert.equal(verify(token).claims.get("role"), "admin");
  });

  test("integers keep every digit", () => {
    const claims = `{"sub":"${CLAIMS.sub}","aud":"${AUDIENCE}","exp":${CLAIMS.exp},"n":18446744073709551615}`;
    assert.equal(verify(signed(HEADER, claims)).claims.get("n"), 18_446_744_073_709_551_615n);
  });
});

suite("who may sign a JWT-SVID", () => {
  test("JWT-12 (JWT-SVID §4, Workload API §6.3): a key of the subject's own trust domain", () => {
    const other = parseTrustDomainName("other.example");
    const foreign = withClaims({ sub: "spiffe://other.example/web" });
    // Our key, their subject: their bundle decides, whatever the key ID says.
    const theirs = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const both = jwtBundleSetOf([own, bundleOf({ es256: theirs.publicKey }, other)]);
    assert.throws(
      () => verifyJwtSvid(foreign, both, options),
      (error) => isBonafideError(error, "JWT_SVID_UNTRUSTED"),
    );
    assert.throws(
      () => verifyJwtSvid(foreign, bundles, options),
      (error) => isBonafideError(error, "BUNDLE_NOT_FOUND"),
    );
    const [header = "", , sig = ""] = withClaims({}).split(".");
    const altered = encode({ ...CLAIMS, sub: "spiffe://example.org/admin" });
    refused(`${header}.${altered}.${sig}`, "signature");
  });

  test("JWT-15 (JWT-SVID §6.1): a bundle's JWT key has its use and its ID", () => {
    const document = parseSpiffeBundle(td, '{"keys":[]}');
    const text = formatSpiffeBundle({
      ...document,
      jwtAuthorities: [{ keyId: "es256", publicKey: keys.ES256.publicKey }],
    });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own output, compared whole
    const [key] = (JSON.parse(text) as { keys: Record<string, string>[] }).keys;
    assert.deepEqual(Object.keys(key ?? {}).toSorted(), ["crv", "kid", "kty", "use", "x", "y"]);
    assert.equal(key?.["use"], "jwt-svid");
    assert.equal(key["kid"], "es256");
    const read = parseSpiffeBundle(td, text);
    assert.equal(
      jwtBundleOf(td, read.jwtAuthorities).revision,
      bundleOf({ es256: keys.ES256.publicKey }).revision,
    );
  });

  test("JWT-16 (JWT-SVID §6.2): keys of another use verify no JWT-SVID, and without any there are none", () => {
    const jwk = { ...keys.ES256.publicKey.export({ format: "jwk" }), kid: "es256" };
    for (const use of ["wit-svid", "x509-svid", "sig", "enc", "JWT-SVID"]) {
      const text = JSON.stringify({ keys: [{ ...jwk, use }] });
      const none = [
        jwtBundleOf(td, parseSpiffeBundle(td, text).jwtAuthorities),
        parseJwtBundle(td, text),
      ];
      for (const bundle of none) {
        assert.throws(
          () => verifyJwtSvid(withClaims({}), jwtBundleSetOf([bundle]), options),
          (error) => isBonafideError(error, "BUNDLE_NOT_FOUND"),
        );
      }
    }
  });

  test("the Workload API's bundle may lack a use, and skips what is no JWT key", () => {
    const jwk = keys.ES256.publicKey.export({ format: "jwk" });
    const text = JSON.stringify({
      keys: [{ ...jwk, kid: "es256" }, { ...jwk }, { kty: "oct", k: "AA", kid: "x" }],
    });
    assert.deepEqual([...parseJwtBundle(td, text).keys.keys()], ["es256"]);
    for (const bad of ["{}", '{"keys":{}}', "[]", '{"keys":[1]}', '{"keys":[],"keys":[]}']) {
      assert.throws(
        () => parseJwtBundle(td, bad),
        (error) => isBonafideError(error, "BUNDLE_MALFORMED"),
      );
    }
    const other = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey;
    const doubled = [
      { ...jwk, kid: "same" },
      { ...other.export({ format: "jwk" }), kid: "same" },
    ];
    assert.throws(
      () => parseJwtBundle(td, JSON.stringify({ keys: doubled })),
      (error) => isBonafideError(error, "BUNDLE_MALFORMED"),
    );
    // A key that nothing here can verify by takes only itself from the bundle.
    const weak = generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey;
    const list = [
      { ...weak.export({ format: "jwk" }), kid: "weak" },
      { ...jwk, kid: "es256" },
    ];
    const kept = parseJwtBundle(td, JSON.stringify({ keys: list }));
    assert.deepEqual([...kept.keys.keys()], ["es256"]);
  });

  test("a verified token cannot be made, copied or looked like", () => {
    const verified = verify(withClaims({}));
    assert.ok(VerifiedJwtSvid.isVerifiedJwtSvid(verified));
    assert.ok(!VerifiedJwtSvid.isVerifiedJwtSvid({ id: verified.id }));
    assert.ok(!VerifiedJwtSvid.isVerifiedJwtSvid(Object.create(verified)));
    assert.throws(() => {
      Reflect.construct(VerifiedJwtSvid, ["key", {}]);
    }, TypeError);
    assert.equal(verified.toString(), CLAIMS.sub);
    assert.equal(
      JSON.stringify(verified),
      `{"spiffeId":"${CLAIMS.sub}","expiresAt":${NOW + 300_000}}`,
    );
  });
});

const unsignable = (error: unknown): boolean => isBonafideError(error, "JWT_SVID_UNSIGNABLE");
const read = (part: string): unknown => JSON.parse(Buffer.from(part, "base64url").toString());

suite("signing JWT-SVIDs", () => {
  const signer = jwsSigner(keySigner(keys.ES256.privateKey));
  const template = {
    id: parseSpiffeId("spiffe://example.org/web"),
    audience: [AUDIENCE],
    issuedAt: NOW + 999,
    expiresAt: NOW + 300_999,
  };

  test("JWT-02 (JWT-SVID §2): the header holds alg, kid and typ", () => {
    const token = signJwtSvid(signer, "es256", template);
    const [header = "", payload = ""] = token.split(".");
    assert.deepEqual(read(header), HEADER);
    assert.deepEqual(read(payload), {
      sub: CLAIMS.sub,
      aud: [AUDIENCE],
      exp: SECONDS + 300,
      iat: SECONDS,
    });
    assert.equal(verify(token).issuedAt, NOW);
  });

  test("JWT-08, JWT-10 (JWT-SVID §3.2, §3.3): nothing is signed without audience or end", () => {
    for (const audience of [
      [],
      [""],
      ["a", ""],
      ["\uD800"],
      Array.from({ length: 33 }, () => "a"),
    ]) {
      assert.throws(() => signJwtSvid(signer, "k", { ...template, audience }), unsignable);
    }
    for (const expiresAt of [NOW, NOW - 1, Number.NaN]) {
      assert.throws(() => signJwtSvid(signer, "k", { ...template, expiresAt }), unsignable);
    }
    assert.throws(() => signJwtSvid(signer, "", template), unsignable);
  });

  test("what is signed is verified, and reads as it was written", () => {
    const audience = fc.array(
      fc.string({ minLength: 1, maxLength: 60, unit: "grapheme" }).filter((s) => s.isWellFormed()),
      { minLength: 1, maxLength: 5 },
    );
    fc.assert(
      fc.property(audience, fc.integer({ min: 1, max: 86_400 }), fc.uuid(), (aud, life, jti) => {
        const expiresAt = NOW + life * 1000;
        const more = { audience: aud, issuedAt: NOW, expiresAt, tokenId: jti, issuer: "https://i" };
        const token = signJwtSvid(signer, "es256", { ...template, ...more });
        const verified = verify(token, { audience: aud[0] ?? "" });
        assert.deepEqual(verified.audience, aud);
        assert.equal(verified.expiresAt, expiresAt);
        assert.equal(verified.claims.get("jti"), jti);
        assert.deepEqual(parseJwtSvid(token, { hint: "h" }).audience, aud);
      }),
      { numRuns: 50 },
    );
  });

  test("a token of ours is not in what is logged by accident", () => {
    const token = signJwtSvid(signer, "es256", template);
    const svid = parseJwtSvid(token);
    assert.equal(svid.token, token);
    assert.ok(!inspect(svid).includes(token));
    assert.ok(!JSON.stringify({ ...svid, claims: undefined }).includes(token));
  });
});

suite("hostile tokens", () => {
  const token = withClaims({});
  const coded = (bytes: string): void => {
    try {
      verify(bytes);
    } catch (error) {
      const isOurs =
        isBonafideError(error, "JWT_SVID_INVALID") ||
        isBonafideError(error, "JWT_SVID_UNTRUSTED") ||
        isBonafideError(error, "BUNDLE_NOT_FOUND");
      assert.ok(isOurs, inspect(error));
      return;
    }
    assert.equal(bytes, token, "accepted a token that nobody signed");
  };

  test("every prefix, and any change of a character, gives a code and no identity", () => {
    for (let end = 0; end < token.length; end++) coded(token.slice(0, end));
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.string({ maxLength: 3 }), (at, text) => {
        coded(`${token.slice(0, at)}${text}${token.slice(at + text.length)}`);
      }),
      { numRuns: 2000 },
    );
  });

  test("any bytes under a true signature give a code or a SPIFFE ID", () => {
    const json = fc.oneof(
      fc.json({ maxDepth: 4 }),
      fc.string({ maxLength: 200, unit: "binary" }),
      fc.record(
        {
          sub: fc.oneof(fc.constant(CLAIMS.sub), fc.string(), fc.integer()),
          aud: fc.oneof(fc.constant([AUDIENCE]), fc.string(), fc.array(fc.string())),
          exp: fc.oneof(fc.constant(CLAIMS.exp), fc.double(), fc.string()),
        },
        { requiredKeys: [] },
      ),
    );
    fc.assert(
      fc.property(json, json, (header, payload) => {
        for (const [first, second] of [
          [HEADER, payload],
          [header, CLAIMS],
          [{ ...HEADER, ...(typeof header === "object" ? header : {}) }, payload],
        ] as const) {
          const text = `${encode(first)}.${encode(second)}`;
          const made = `${text}.${signature(text, "ES256").toString("base64url")}`;
          let verified: VerifiedJwtSvid;
          try {
            verified = verify(made);
          } catch (error) {
            assert.ok(isBonafideError(error), inspect(error));
            continue;
          }
          assert.equal(verified.id, CLAIMS.sub);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("a public key that came from a private one is the same to us", () => {
    const bundle = bundleOf({ es256: createPublicKey(keys.ES256.privateKey) });
    assert.equal(bundle.revision, bundleOf({ es256: keys.ES256.publicKey }).revision);
  });
});
