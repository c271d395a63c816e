import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { jwsSigner, keySigner } from "@bonafide/pki";
import {
  jwtBundleOf,
  jwtBundleSetOf,
  parseTrustDomainName,
  type VerifiedJwtSvid,
  verifyJwtSvid,
} from "@bonafide/spiffe";
import { claimsStruct } from "./claims-struct.ts";

const NOW = 1_800_000_000_000;
const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });

function verified(claims: Readonly<Record<string, unknown>>): VerifiedJwtSvid {
  const text = [{ alg: "ES256", kid: "k", typ: "JWT" }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  const signature = jwsSigner(keySigner(keys.privateKey)).sign(Buffer.from(text));
  const bundle = jwtBundleOf(parseTrustDomainName("other.org"), [
    { keyId: "k", publicKey: keys.publicKey },
  ]);
  return verifyJwtSvid(
    `${text}.${Buffer.from(signature).toString("base64url")}`,
    jwtBundleSetOf([bundle]),
    { audience: "db", now: NOW },
  );
}

test("SID-22 (SPIFFE-ID §4.1): of another trust domain's token only subject, audience and end are told", () => {
  const standard = { sub: "spiffe://other.org/web", aud: "db", exp: NOW / 1000 + 60 };
  const extra = { iat: NOW / 1000, role: "admin", team: { groups: ["root", 1, null] } };
  const svid = verified({ ...standard, ...extra });
  const told = { ...standard, aud: ["db"] };
  const alsoForeign = new Set<string>();
  assert.deepEqual(claimsStruct(svid, { isOurs: false, alsoForeign }), told);
  assert.deepEqual(claimsStruct(svid, { isOurs: true, alsoForeign }), { ...told, ...extra });
});

test("claims of another trust domain that the operator allows are told by their exact names", () => {
  const svid = verified({
    sub: "spiffe://other.org/web",
    aud: ["db"],
    exp: NOW / 1000 + 60,
    role: "admin",
    Role: "root",
  });
  const told = claimsStruct(svid, { isOurs: false, alsoForeign: new Set(["role", "absent"]) });
  assert.deepEqual(Object.keys(told).toSorted(), ["aud", "exp", "role", "sub"]);
});
