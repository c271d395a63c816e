import assert from "node:assert/strict";
import { KEY_USAGE } from "@bonafide/pki";
import {
  madeExtension,
  makeCertificate,
  type MadeCertificate,
  type MadeTemplate,
  makeKey,
} from "@bonafide/pki/testing";
import * as fc from "fast-check";
import type { DerChain } from "./judges.ts";

const DAY_MS = 86_400_000;
const now = Date.now();

/** One authority or leaf of a random chain, sound in most respects. */
const key = makeKey();
const critical = madeExtension("1.2.3.4", true, Uint8Array.of(5, 0));
const mostly = <T>(sound: T, ...odd: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof(
    { weight: 12, arbitrary: fc.constant(sound) },
    { weight: 1, arbitrary: fc.constantFrom(...odd) },
  );
const authority: fc.Arbitrary<MadeTemplate> = fc
  .record({
    isAuthority: mostly(true, false),
    pathLength: mostly<number | undefined>(undefined, 0, 1, 2),
    keyUsage: mostly<number | null>(KEY_USAGE.keyCertSign, KEY_USAGE.cRLSign, null),
    hasKeyIds: mostly(true, false),
    days: mostly([-1, 1], [-2, -1], [1, 2]),
    permitted: mostly<readonly string[]>([], ["a"], ["b"], [".c"], ["a", "b"]),
    excluded: mostly<readonly string[]>([], ["a"], ["b"], [".c"]),
    extensions: mostly<readonly Uint8Array[]>([], [critical]),
    uris: mostly<readonly string[]>([], ["spiffe://a"], ["spiffe://b"]),
  })
  .map(({ days: [from = 0, to = 0], isAuthority, pathLength, ...rest }) => ({
    ...rest,
    isAuthority,
    ...(isAuthority && pathLength !== undefined ? { pathLength } : {}),
    notBefore: now + from * DAY_MS,
    notAfter: now + to * DAY_MS,
  }));
const end: fc.Arbitrary<MadeTemplate> = fc.record({
  uris: mostly<readonly string[]>(["spiffe://a/x"], ["spiffe://b/x"], ["spiffe://h.c/x"], []),
  keyUsage: mostly<number | null>(KEY_USAGE.digitalSignature, null),
  hasBasicConstraints: mostly(true, false),
  hasKeyIds: mostly(true, false),
  extensions: mostly<readonly Uint8Array[]>([], [critical]),
  commonName: mostly("w", "x"),
});

// To Go, the constraint `a` also covers hosts below `a`; RFC 5280 §4.2.1.10 and openssl say the host itself. Hence no
// host here lies below a constraint without a dot.

/** Root, then up to three authorities, then a leaf; presented in any order, perhaps one left out. */
export const randomChain: fc.Arbitrary<DerChain> = fc
  .record({
    authorities: fc.array(authority, { minLength: 1, maxLength: 4 }),
    leaf: end,
    names: fc.array(fc.constantFrom("A", "B", "C", "D"), { minLength: 4, maxLength: 4 }),
    sharesKey: mostly(false, true),
    order: fc.array(fc.nat(3), { minLength: 3, maxLength: 3 }),
    leftOut: mostly<number | undefined>(undefined, 0, 1),
  })
  .map(({ authorities, leaf, names, sharesKey, order, leftOut }) => {
    const made: MadeCertificate[] = [];
    for (const [index, template] of authorities.entries()) {
      const commonName = `${names[index] ?? ""}${index}`;
      const keys = sharesKey ? { key } : {};
      made.push(makeCertificate({ ...template, commonName, ...keys }, made.at(-1)));
    }
    const [root, ...below] = made;
    assert.ok(root !== undefined);
    const presented = below
      .map((each, index) => ({ each, rank: order[index] ?? 0 }))
      .toSorted((a, b) => a.rank - b.rank)
      .map(({ each }) => each)
      .filter((_, index) => index !== leftOut);
    const chain = [makeCertificate(leaf, made.at(-1)), ...presented].map(({ der }) => der);
    return { chain, anchors: [root.der] };
  });
