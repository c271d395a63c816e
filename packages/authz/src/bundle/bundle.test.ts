import assert from "node:assert/strict";
import { test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import { formatEnvelope, parseEnvelope, signedBytes } from "../core/bundle/envelope.ts";
import { decide, enforce } from "../core/engine/decide.ts";
import { actionOf, entityOf } from "../core/model/entity-names.ts";
import { buildRequest } from "../core/model/request.ts";
import { buildOf, ISSUED, LIFE, newSigner, trustIn } from "../testing/signed-org.ts";
import { smallOrg } from "../testing/small-org.ts";
import { addSignature, cutBundle } from "./build-bundle.ts";
import {
  createPolicyKey,
  openPolicySigner,
  parsePolicyKeys,
  type PolicySigner,
  PolicyTrust,
} from "./policy-keys.ts";
import { VerifiedBundle, verifyBundle } from "./verified-bundle.ts";

const [ann, ben, eve] = [await newSigner(), await newSigner("ECDSA P-256"), await newSigner()];
const CHECKOUT = "spiffe://example.org/ns/shop/checkout";
const both = { trust: trustIn([ann, ben], 2), trustDomain: "example.org", now: ISSUED + 1 };
const one = { ...both, trust: trustIn([ann, ben]) };

async function signed(...signers: readonly PolicySigner[]): Promise<Uint8Array<ArrayBuffer>> {
  const [first = ann, ...others] = signers;
  let file = await (await buildOf(7)).sign(first);
  for (const signer of others) file = await addSignature(file, signer);
  return file;
}

test("a bundle that two of two signed is opened and decides", async () => {
  const bundle = await verifyBundle(await signed(ann, ben), both);
  assert.deepEqual(bundle.signedBy.toSorted(), [ann.key.id, ben.key.id].toSorted());
  assert.equal(bundle.ref.serial, 7);
  const resource = bundle.routes("payments")?.match("http.POST", "/v1/refunds/7").resource;
  assert.equal(resource?.id, "payments/v1/refunds/{id}");
  const may = (workload: string): boolean => {
    const facts = { now: ISSUED, tls: true };
    const request = buildRequest({ workload }, "http.POST", resource, facts);
    return enforce(decide(bundle.compiled, bundle.entities, request)).allowed;
  };
  assert.equal(may(CHECKOUT), true);
  assert.equal(may("spiffe://example.org/ns/shop/cart/web"), false);
});

test("the same folder gives the same bytes, in whatever order its files come", async () => {
  const backwards = new Map([...smallOrg()].toReversed());
  assert.equal((await buildOf(7)).digest, (await buildOf(7, backwards)).digest);
  assert.notEqual((await buildOf(7)).digest, (await buildOf(8)).digest);
});

test("signatures: too few, doubled, unknown, wrong or under another's name are none", async () => {
  const file = await signed(ann);
  const again = await addSignature(file, ann);
  const { signatures, manifest, slices } = parseEnvelope(file);
  const [own] = signatures;
  assert.ok(own !== undefined);
  const withSignatures = (...them: typeof signatures): Uint8Array =>
    formatEnvelope({ signatures: them, manifest, slices });
  const wrong = { ...own, signature: own.signature.map((byte) => byte ^ 1) };
  const renamed = { ...own, keyId: ben.key.id };
  const bare = await ann.sign(manifest);
  for (const [name, bytes, options] of [
    ["one of two", file, both],
    ["one key twice", again, both],
    ["one and an unknown one", await addSignature(file, eve), both],
    ["only an unknown one", await signed(eve), one],
    ["none", withSignatures(), one],
    ["a wrong one", withSignatures(wrong), one],
    ["a wrong one beside a good one", await addSignature(withSignatures(wrong), ben), one],
    ["one under the name of another key", withSignatures(renamed), one],
    ["one of the bare manifest", withSignatures({ ...own, signature: bare }), one],
  ] as const) {
    await assert.rejects(verifyBundle(bytes, options), coded("BUNDLE_UNTRUSTED"), name);
  }
  await verifyBundle(await addSignature(file, eve), one);
});

test("trust needs keys, a threshold that can be met, and no key of an authority", async () => {
  const keys = [ann.key, ben.key];
  for (const options of [
    { keys: [], threshold: 1 },
    { keys: [], threshold: 0 },
    { keys, threshold: 0 },
    { keys, threshold: 3 },
    { keys, threshold: 1.5 },
    { keys, threshold: Number.NaN },
    { keys: [ann.key, ann.key], threshold: 2 },
    { keys, threshold: 1, authorities: [eve.key.spki, ben.key.spki] },
  ]) {
    assert.throws(() => PolicyTrust.of(options), coded("POLICY_KEY_INVALID"));
  }
  assert.equal(PolicyTrust.of({ keys, threshold: 1, authorities: [eve.key.spki] }).threshold, 1);
});

test("nothing but verification makes a verified bundle, and nothing but `of` makes trust", () => {
  assert.throws(() => Reflect.construct(VerifiedBundle, [Symbol("x"), {}]), TypeError);
  assert.throws(() => Reflect.construct(PolicyTrust, [Symbol("x"), new Map(), 0]), TypeError);
});

test("a rolled back, doubled, foreign, expired or future bundle is refused", async () => {
  const file = await signed(ann);
  const { ref } = await verifyBundle(file, one);
  for (const [code, options] of [
    ["BUNDLE_ROLLED_BACK", { floor: { serial: 8, digest: ref.digest } }],
    ["BUNDLE_ROLLED_BACK", { floor: { serial: 7, digest: "0".repeat(64) } }],
    ["BUNDLE_MISMATCH", { trustDomain: "other.example" }],
    ["BUNDLE_MISMATCH", { services: ["nobody"] }],
    ["BUNDLE_EXPIRED", { now: ISSUED + LIFE }],
    ["BUNDLE_NOT_YET_VALID", { now: ISSUED - 300_001 }],
  ] as const) {
    await assert.rejects(verifyBundle(file, { ...one, ...options }), coded(code));
  }
  await verifyBundle(file, { ...one, floor: ref, now: ISSUED + LIFE - 1 });
  await verifyBundle(file, { ...one, floor: { serial: 6, digest: "" }, now: ISSUED - 300_000 });
});

test("a service gets its slice and what all share; the signatures stay good", async () => {
  const file = await signed(ann, ben);
  const cut = cutBundle(file, ["payments"]);
  assert.ok(cut.length < file.length);
  assert.ok(!new TextDecoder().decode(cut).includes("shop/own-team"));
  const bundle = await verifyBundle(cut, both);
  assert.deepEqual([...bundle.policies.keys()].toSorted(), [
    "guardrails/agents-read",
    "payments/checkout-refunds",
    "payments/support-reads",
  ]);
  await assert.rejects(
    verifyBundle(cut, { ...both, services: ["catalogue"] }),
    coded("BUNDLE_MISMATCH"),
  );
  assert.throws(() => cutBundle(cut, ["catalogue"]), coded("BUNDLE_MISMATCH"));
});

test("a slice of another bundle, a changed one or one nobody promised is refused", async () => {
  const { signatures, manifest, slices } = parseEnvelope(await signed(ann));
  const other = parseEnvelope(await (await buildOf(8, withoutGuardrails())).sign(ann)).slices;
  const guardrails = other.get("guardrails");
  assert.ok(guardrails !== undefined);
  for (const changed of [
    new Map([...slices, ["guardrails", guardrails]] as const),
    new Map([...slices, ["service/extra", guardrails]] as const),
  ]) {
    const file = formatEnvelope({ signatures, manifest, slices: changed });
    await assert.rejects(verifyBundle(file, one), coded("BUNDLE_UNTRUSTED"));
  }
  const lacking = new Map([...slices].filter(([name]) => name !== "guardrails"));
  const file = formatEnvelope({ signatures, manifest, slices: lacking });
  await assert.rejects(verifyBundle(file, one), coded("BUNDLE_MISMATCH"));
});

test("what was signed is still refused if it is not canonical or from the future of this library", async () => {
  const { manifest, slices } = parseEnvelope(await signed(ann));
  const text = new TextDecoder().decode(manifest);
  for (const [code, changed] of [
    ["BUNDLE_MALFORMED", text.replace("{", "{ ")],
    ["BUNDLE_MALFORMED", text.replace(/"serial":7/, '"serial":7,"serial":7')],
    ["BUNDLE_MALFORMED", text.replace(/"serial":7/, '"serial":0')],
    ["BUNDLE_MALFORMED", text.replace(/"serial":7/, '"serial":7.5')],
    ["BUNDLE_MALFORMED", text.replace(/"issued":\d+/, '"issued":1')],
    ["BUNDLE_MALFORMED", text.replace(/}$/, ',"zeal":true}')],
    ["BUNDLE_UNSUPPORTED", text.replace(/"engine":1/, '"engine":2')],
    ["BUNDLE_UNSUPPORTED", text.replace(/"format":1/, '"format":2')],
  ] as const) {
    assert.notEqual(changed, text);
    const bytes = new TextEncoder().encode(changed);
    const signature = await ann.sign(signedBytes(bytes));
    const signatures = [{ keyId: ann.key.id, signature }];
    const file = formatEnvelope({ signatures, manifest: bytes, slices });
    await assert.rejects(verifyBundle(file, one), coded(code), changed.slice(0, 120));
  }
});

test("a folder with findings makes no bundle, nor does a policy that applies to nothing", async () => {
  const stray = smallOrg().set("teams/stray.txt", "?");
  await assert.rejects(buildOf(7, stray), coded("FOLDER_REFUSED"));
  const nowhere = smallOrg().set(
    "teams/shop/policies/post.yaml",
    `allow: [{ id: nowhere, reason: r, from: "team:cart", to: "catalogue/v9/gone" }]`,
  );
  await assert.rejects(buildOf(7, nowhere), (error) => {
    assert.ok(isBonafideError(error, "FOLDER_REFUSED"));
    assert.equal(error.details["file"], "teams/shop/policies/post.yaml");
    return true;
  });
  const wrongAction = smallOrg().set(
    "teams/shop/policies/select.yaml",
    `allow: [{ id: no-table, reason: r, from: "team:cart", to: catalogue, actions: [db.select] }]`,
  );
  await assert.rejects(buildOf(7, wrongAction), coded("FOLDER_REFUSED"));
});

test("keys are read from what was written, and nothing else is one", async () => {
  for (const algorithm of ["Ed25519", "ECDSA P-256"] as const) {
    const { key, publicPem, privatePem } = await createPolicyKey(algorithm);
    assert.deepEqual(await parsePolicyKeys(publicPem), [key]);
    assert.deepEqual((await openPolicySigner(privatePem)).key, key);
    await assert.rejects(parsePolicyKeys(privatePem), coded("POLICY_KEY_INVALID"));
    await assert.rejects(openPolicySigner(publicPem), coded("POLICY_KEY_INVALID"));
    await assert.rejects(openPolicySigner(privatePem + privatePem), coded("POLICY_KEY_INVALID"));
    const body = publicPem.replace(/[A-Za-z0-9]{20}(?=[A-Za-z0-9+/=]*\n---)/, "A".repeat(20));
    const changed = await parsePolicyKeys(body).catch((error: unknown) => error);
    assert.ok(Array.isArray(changed) || coded("POLICY_KEY_INVALID")(changed));
  }
  for (const pem of ["", "x", pemOf("AAAA"), pemOf("!"), pemOf("A".repeat(5000))]) {
    await assert.rejects(parsePolicyKeys(pem), coded("POLICY_KEY_INVALID"));
  }
});

test("the model of a bundle is that of its folder", async () => {
  const bundle = await verifyBundle(await signed(ann), one);
  assert.equal(bundle.model.trustDomain, "example.org");
  assert.ok(bundle.entities.find(entityOf("User", "alice").key)?.ancestors.size === 2);
  assert.ok(bundle.entities.find(actionOf("http.GET").key) !== undefined);
  assert.equal(bundle.model.workloads.find(({ id }) => id.endsWith("/bot"))?.kind, "ai-agent");
});

function withoutGuardrails(): Map<string, string> {
  const files = smallOrg();
  files.delete("guardrails/base.cedar");
  return files;
}

function pemOf(body: string): string {
  return `-----BEGIN PUBLIC KEY-----\n${body}\n-----END PUBLIC KEY-----\n`;
}

function coded(code: string): (error: unknown) => boolean {
  return (error) => isBonafideError(error, code);
}
