import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { test } from "node:test";
import {
  jwtBundleOf,
  jwtBundleSetOf,
  parseTrustDomainName,
  type VerifiedJwtSvid,
  verifyJwtSvid,
} from "@bonafide/spiffe";
import { Judge } from "./core/judge.ts";
import { paymentsBundle, paymentsOrg } from "./testing/payments-org.ts";

const NOW = 1_795_000_000_000;
const AUDIENCE = "spiffe://example.org/ns/payments/api";
const ROUTE = "/v1/kinds";
/** What a rule of ours could look for, in the words of another trust domain. */
const BOASTS = { role: "admin", kind: "ai-agent", groups: ["support"], team: "shop" };

const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
const bundles = jwtBundleSetOf(
  ["example.org", "other.org"].map((name) =>
    jwtBundleOf(parseTrustDomainName(name), [{ keyId: name, publicKey: keys.publicKey }]),
  ),
);

function verified(trustDomain: string, path: string): VerifiedJwtSvid {
  const header = { alg: "ES256", kid: trustDomain, typ: "JWT" };
  const sub = `spiffe://${trustDomain}${path}`;
  const claims = { sub, aud: [AUDIENCE], exp: NOW / 1000 + 60, ...BOASTS };
  const text = [header, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  const signature = sign("sha256", Buffer.from(text), {
    key: keys.privateKey,
    dsaEncoding: "ieee-p1363",
  });
  const token = `${text}.${signature.toString("base64url")}`;
  return verifyJwtSvid(token, bundles, { audience: AUDIENCE, now: NOW });
}

test("SID-22 (SPIFFE-ID §4.1): a foreign token that claims role=admin matches no rule about ours", async () => {
  const files = paymentsOrg();
  files.set(
    "teams/payments/policies/agents.cedar",
    `@id("agents")
@reason("Agents may ask")
permit (principal is BF::Workload, action, resource == BF::Route::"payments/v1/kinds")
when { principal.kind == "ai-agent" };
`,
  );
  files.delete("teams/payments/policies/kinds.cedar");
  const judge = new Judge(await paymentsBundle({ now: NOW, files }), "payments");
  const reasonOf = ({ id }: VerifiedJwtSvid, path: string): string =>
    judge.judge({ caller: id, action: "http.GET", asked: { path }, now: NOW }).reason;

  const foreign = verified("other.org", "/ns/shop/admin");
  assert.equal(foreign.claims.get("role"), "admin");
  for (const path of [ROUTE, "/v1/refunds/7", "/v1/internal", "/v2/anything"]) {
    assert.equal(reasonOf(foreign, path), "no_permit", path);
  }
  // What decides is whose token it is, under which trust domain; claims of our own domain add nothing either.
  assert.equal(reasonOf(verified("example.org", "/ns/shop/admin"), ROUTE), "permitted");
  assert.equal(reasonOf(verified("example.org", "/elsewhere"), ROUTE), "no_permit");
});
