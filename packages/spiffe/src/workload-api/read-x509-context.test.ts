import assert from "node:assert/strict";
import { test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import { encodePrivateKey } from "@bonafide/pki";
import { X509BundlesResponseSchema, X509SVIDResponseSchema } from "@bonafide/proto/workload_pb";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { concatenateDer, formatX509BundleDer } from "../bundle/x509-bundle.ts";
import type { X509Svid } from "../svid/x509-svid.ts";
import { TestTrustDomain } from "../testing/test-trust-domain.ts";
import { readX509Bundles, readX509Context } from "./read-x509-context.ts";

const a = new TestTrustDomain("a.example");
const b = new TestTrustDomain("b.example");
const one = a.issue("/one");
const two = a.issue("/two");

type Init = MessageInitShape<typeof X509SVIDResponseSchema>;
type Entry = NonNullable<Init["svids"]>[number];

function entry(svid: X509Svid, over: Partial<Entry> = {}): Entry {
  return {
    spiffeId: svid.id,
    x509Svid: concatenateDer(svid.chain),
    x509SvidKey: encodePrivateKey(svid.privateKey),
    bundle: formatX509BundleDer(a.bundle),
    hint: "",
    ...over,
  };
}

const read = (init: Init, hint?: string): ReturnType<typeof readX509Context> =>
  readX509Context(create(X509SVIDResponseSchema, init), hint === undefined ? {} : { hint });

test("WLA-32 (Workload API §8): the first SVID is the default, and the order is kept", () => {
  const context = read({ svids: [entry(two), entry(one)] });
  assert.equal(context.svid?.id, "spiffe://a.example/two");
  assert.deepEqual(
    context.svids.map((svid) => svid.id),
    ["spiffe://a.example/two", "spiffe://a.example/one"],
  );
});

test("WLA-33 (Workload API §8): an SVID is picked by its hint, and a missing hint is reported", () => {
  const svids = [entry(one, { hint: "x" }), entry(two, { hint: "y" })];
  assert.equal(read({ svids }, "y").svid?.id, "spiffe://a.example/two");
  assert.throws(() => read({ svids }, "z"), coded("HINT_NOT_FOUND"));
});

test("WLA-16 (Workload API §5.2.1): of two SVIDs with one hint the first wins; empty hints are not hints", () => {
  const three = a.issue("/three");
  const svids = [
    entry(one, { hint: "x" }),
    entry(two, { hint: "x" }),
    entry(three),
    entry(a.issue("/four")),
  ];
  assert.deepEqual(
    read({ svids }).svids.map((svid) => svid.id),
    ["spiffe://a.example/one", "spiffe://a.example/three", "spiffe://a.example/four"],
  );
});

test("WLA-11 (Workload API §4.5): a message without a mandatory field is discarded", () => {
  const empty = new Uint8Array();
  const cases: readonly (readonly [string, Init])[] = [
    ["svids", {}],
    ["spiffeId", { svids: [entry(one, { spiffeId: "" })] }],
    ["x509Svid", { svids: [entry(one, { x509Svid: empty })] }],
    ["x509SvidKey", { svids: [entry(one, { x509SvidKey: empty })] }],
    ["bundle", { svids: [entry(one, { bundle: empty })] }],
  ];
  for (const [reason, init] of cases) assert.throws(() => read(init), discarded(reason));
  assert.throws(() => readX509Bundles(create(X509BundlesResponseSchema, {})), discarded("bundles"));
});

test("a message whose parts do not belong together is discarded", () => {
  const bytes = new Uint8Array([1, 2, 3]);
  const withRoot = concatenateDer([...one.chain, a.ca.certificate]);
  const cases: readonly (readonly [string, Init])[] = [
    ["X509_SVID_INVALID", { svids: [entry(one, { spiffeId: two.id })] }],
    [
      "X509_SVID_INVALID",
      { svids: [entry(one, { x509SvidKey: encodePrivateKey(two.privateKey) })] },
    ],
    ["X509_SVID_INVALID", { svids: [entry(one, { x509Svid: bytes })] }],
    ["X509_SVID_INVALID", { svids: [entry(one, { x509Svid: withRoot.subarray(1) })] }],
    ["X509_SVID_INVALID", { svids: [entry(one, { x509SvidKey: bytes })] }],
    ["X509_SVID_INVALID", { svids: [entry(one, { hint: "h".repeat(1025) })] }],
    ["X509_SVID_INVALID", { svids: [entry(one, { x509Svid: formatX509BundleDer(a.bundle) })] }],
    ["BUNDLE_MALFORMED", { svids: [entry(one, { bundle: bytes })] }],
    ["two-bundles", { svids: [entry(one), entry(two, { bundle: formatX509BundleDer(b.bundle) })] }],
    [
      "BUNDLE_MALFORMED",
      { svids: [entry(one)], federatedBundles: { "spiffe://b.example": bytes } },
    ],
    ["SPIFFE_ID_INVALID", { svids: [entry(one)], federatedBundles: { "b.example": bytes } }],
    [
      "trust-domain-id",
      { svids: [entry(one)], federatedBundles: { "spiffe://b.example/x": bytes } },
    ],
  ];
  for (const [reason, init] of cases) assert.throws(() => read(init), discarded(reason), reason);
  assert.equal(read({ svids: [entry(one, { x509Svid: withRoot })] }).svid?.chain.length, 2);
});

test("WLA-09 (Workload API §4.6): each bundle stands under its own trust domain, the own one is the SVID's", () => {
  const der = formatX509BundleDer(b.bundle);
  const { bundles } = read({
    svids: [entry(one)],
    federatedBundles: { "spiffe://b.example": der, "spiffe://a.example": der },
  });
  assert.deepEqual([...bundles.keys()].toSorted(), ["a.example", "b.example"]);
  assert.equal(bundles.get(a.trustDomain)?.revision, a.bundle.revision);
  assert.equal(bundles.get(b.trustDomain)?.revision, b.bundle.revision);
});

test("WLA-21 (Workload API §5.2.2): the bundles' keys are IDs of trust domains", () => {
  const der = formatX509BundleDer(a.bundle);
  const bundles = readX509Bundles(
    create(X509BundlesResponseSchema, { bundles: { "spiffe://a.example": der } }),
  );
  assert.equal(bundles.get(a.trustDomain)?.revision, a.bundle.revision);
  for (const key of ["a.example", "spiffe://a.example/", "spiffe://A.example", "", "__proto__x"]) {
    assert.throws(
      () => readX509Bundles(create(X509BundlesResponseSchema, { bundles: { [key]: der } })),
      coded("WORKLOAD_API_RESPONSE_INVALID"),
    );
  }
});

function coded(code: string): (error: unknown) => boolean {
  return (error) => isBonafideError(error, code);
}

function discarded(reason: string): (error: unknown) => boolean {
  return (error) =>
    isBonafideError(error, "WORKLOAD_API_RESPONSE_INVALID") && error.details["reason"] === reason;
}
