import { encode } from "../der/der-writer.ts";
import { contextTag, TAG } from "../der/tags.ts";
import { OID } from "../x509/oids.ts";
import { authority, type ChainCase, leaf } from "./chain-case.ts";
import { madeExtension, makeKey } from "./make-certificate.ts";

const DAY_MS = 86_400_000;

/** What a validator must accept. */
export function acceptedCases(): readonly ChainCase[] {
  const root = authority("R");
  const one = authority("I1", {}, root);
  const two = authority("I2", {}, one);
  const direct = leaf(root);
  const anchors = [root];
  const unknown = madeExtension("1.2.3.4", false, Uint8Array.of(TAG.null, 0));
  const email = encode(contextTag(1), new Uint8Array(Buffer.from("x@example.org")));
  const ip = encode(contextTag(7), Uint8Array.of(10, 0, 0, 1));
  const plainRoot = authority("P", { uris: [] });
  const bareRoot = authority("B", { hasKeyIds: false, keyUsage: null });
  const limited = authority("L", { pathLength: 0 });
  const limitedBelow = authority("LB", { pathLength: 0 }, root);
  const kinds = (["ec-p384", "ec-p521", "ed25519", "rsa-2048"] as const).map((keyKind) => {
    const other = authority(`K ${keyKind}`, { keyKind });
    const chain = [leaf(other, { keyKind })];
    return { name: `A: ${keyKind} authority and leaf`, chain, anchors: [other], expect: "ok" };
  });
  const accepted = [
    { name: "A: leaf under its root", chain: [direct] },
    { name: "A: one intermediate", chain: [leaf(one), one] },
    { name: "A: two intermediates in order", chain: [leaf(two), two, one] },
    { name: "A: two intermediates out of order", chain: [leaf(two), one, two] },
    { name: "A: the root presented too", chain: [leaf(one), one, root] },
    { name: "A: an unrelated certificate presented too", chain: [leaf(one), plainRoot, one] },
    { name: "A: empty subject, names critical", chain: [leaf(root, { commonName: "" })] },
    { name: "A: no EKU", chain: [leaf(root, { extendedKeyUsage: [] })] },
    {
      name: "A: a further EKU",
      chain: [leaf(root, { extendedKeyUsage: [OID.clientAuth, "1.2.3"] })],
    },
    {
      name: "A: no basic constraints in the leaf",
      chain: [leaf(root, { hasBasicConstraints: false })],
    },
    { name: "A: no key usage in the leaf", chain: [leaf(root, { keyUsage: null })] },
    {
      name: "A: DNS, email and IP names",
      chain: [leaf(root, { dnsNames: ["x.org"], otherNames: [email, ip] })],
    },
    {
      name: "A: an unknown extension that is not critical",
      chain: [leaf(root, { extensions: [unknown] })],
    },
    { name: "A: authority without a URI name", chain: [leaf(plainRoot)], anchors: [plainRoot] },
    {
      name: "A: authority without key usage and key identifiers",
      chain: [leaf(bareRoot)],
      anchors: [bareRoot],
      opensslDiffers: "-x509_strict wants both in an authority",
    },
    { name: "A: path length 0 and nothing between", chain: [leaf(limited)], anchors: [limited] },
    { name: "A: path length 0 of an intermediate kept", chain: [leaf(limitedBelow), limitedBelow] },
  ].map((entry) => ({ anchors, expect: "ok" as const, ...entry }));
  return [...accepted, ...kinds.map((entry) => ({ ...entry, expect: "ok" as const }))];
}

/** Roots that share a name or a key: what a rotation looks like. */
export function rotationCases(): readonly ChainCase[] {
  const old = authority("R");
  const sameName = authority("R");
  const key = makeKey();
  const fresh = authority("RN", { key });
  const freshByOld = authority("RN", { key }, old);
  const now = Date.now();
  const past = { notBefore: now - 2 * DAY_MS, notAfter: now - DAY_MS };
  const expiredByOld = authority("RN", { key, ...past }, old);
  const end = leaf(fresh);
  const x = authority("X", { key: makeKey() });
  const y = authority("Y", { key: makeKey() });
  const xByY = authority("X", { key: x }, y);
  const yByX = authority("Y", { key: y }, x);
  return [
    {
      name: "A: two roots of one name, ours first",
      chain: [leaf(old)],
      anchors: [old, sameName],
      expect: "ok",
    },
    {
      name: "A: two roots of one name, ours second",
      chain: [leaf(old)],
      anchors: [sameName, old],
      expect: "ok",
    },
    {
      name: "A: cross-signed, old root known",
      chain: [end, freshByOld],
      anchors: [old],
      expect: "ok",
    },
    {
      name: "A: cross-signed, new root known",
      chain: [end, freshByOld],
      anchors: [fresh],
      expect: "ok",
    },
    {
      name: "A: cross-signed, new root presented beside it",
      chain: [end, fresh, freshByOld],
      anchors: [old],
      expect: "ok",
      opensslDiffers: "it takes the self-signed root first and does not come back",
    },
    {
      name: "A: cross-signed twice, one expired",
      chain: [end, expiredByOld, freshByOld],
      anchors: [old],
      expect: "ok",
    },
    {
      name: "R: two authorities that sign each other",
      chain: [leaf(x), xByY, yByX],
      anchors: [old],
      expect: "PATH_UNKNOWN_AUTHORITY",
    },
  ];
}
