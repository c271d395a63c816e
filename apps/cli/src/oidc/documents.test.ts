import assert from "node:assert/strict";
import { test } from "node:test";
import { generateKey, publicKeyOf } from "@bonafide/pki";
import { answer, keySetOf, type OidcRequest, type OidcState } from "./documents.ts";

const authorities = (["ec-p256", "ec-p384"] as const).map((algorithm, i) => ({
  keyId: `key-${i}`,
  publicKey: publicKeyOf({ spki: generateKey(algorithm).spki }),
}));
const keySet = keySetOf(authorities, () => "digest");
const STATE: OidcState = {
  domains: new Set(["oidc.example.org"]),
  issuer: undefined,
  keySet,
  isFresh: true,
};

function ask(path: string, more: Partial<OidcRequest> = {}): OidcRequest {
  return { method: "GET", host: "oidc.example.org", path, ifNoneMatch: "", ...more };
}

const DISCOVERY = "/.well-known/openid-configuration";

test("the document names the host that was asked, or the issuer that was set, and where its keys are", () => {
  const read = (request: OidcRequest, state = STATE): unknown => {
    const { status, headers, body } = answer(request, state);
    assert.deepEqual([status, headers["content-type"]], [200, "application/json"]);
    assert.match(headers["cache-control"] ?? "", /max-age=60/);
    return JSON.parse(body);
  };
  assert.partialDeepStrictEqual(read(ask(DISCOVERY, { host: "OIDC.example.org:8443" })), {
    issuer: "https://oidc.example.org:8443",
    jwks_uri: "https://oidc.example.org:8443/keys",
  });
  const state = { ...STATE, issuer: "https://example.org/spiffe" };
  assert.partialDeepStrictEqual(read(ask(`/spiffe${DISCOVERY}`), state), {
    issuer: "https://example.org/spiffe",
    jwks_uri: "https://example.org/spiffe/keys",
  });
  assert.equal(answer(ask(DISCOVERY), state).status, 404);
});

test("keys go out with their IDs, use and algorithm, and are named so that nobody fetches them twice", () => {
  const { body, headers } = answer(ask("/keys"), STATE);
  const read: unknown = JSON.parse(body);
  assert.partialDeepStrictEqual(read, {
    keys: [
      { kid: "key-0", use: "sig", alg: "ES256", kty: "EC" },
      { kid: "key-1", use: "sig", alg: "ES384", kty: "EC" },
    ],
  });
  assert.doesNotMatch(body, /"d":/);
  const again = answer(ask("/keys", { ifNoneMatch: headers["etag"] ?? "" }), STATE);
  assert.deepEqual([again.status, again.body], [304, ""]);
});

test("another host, path or method is refused; health is told to anybody, and is bad without fresh keys", () => {
  const statusOf = (request: OidcRequest, state = STATE): number => answer(request, state).status;
  for (const host of [
    "evil.example",
    "",
    "oidc.example.org.evil.example",
    "127.0.0.1:443",
    "oidc.example.org:99999",
    "oidc.example.org:",
    "oidc.example.org:x",
  ]) {
    assert.equal(statusOf(ask(DISCOVERY, { host })), 421);
    assert.equal(statusOf(ask("/keys", { host })), 421);
    assert.equal(statusOf(ask("/ready", { host })), 200);
  }
  assert.equal(statusOf(ask("/")), 404);
  assert.equal(statusOf(ask("/keys/")), 404);
  for (const path of [DISCOVERY, "/keys", "/live"]) {
    assert.equal(statusOf(ask(path, { method: "POST" })), 405);
  }
  const none = { ...STATE, keySet: undefined };
  assert.deepEqual([statusOf(ask("/keys"), none), statusOf(ask("/ready"), none)], [503, 503]);
  assert.equal(statusOf(ask("/ready"), { ...STATE, isFresh: false }), 503);
  assert.equal(statusOf(ask("/keys"), { ...STATE, isFresh: false }), 200);
  assert.equal(statusOf(ask("/ready"), { ...STATE, keySet: keySetOf([], () => "") }), 503);
  assert.equal(statusOf(ask("/live"), none), 200);
});
