import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { isBonafideError } from "@bonafide/errors";
import {
  createCsr,
  formatPem,
  keySigner,
  parseCertificate,
  parseCertificates,
  parseCsr,
  parsePem,
  parsePrivateKey,
  publicKeyOf,
  verifyCsr,
  verifyPath,
} from "./index.ts";
import { makeCertificate, makeKey, TestCa } from "./testing/index.ts";

const INPUTS = 200_000;
const WARM = 20_000;
const INPUT_MS_MAX = 1000;

/** A small generator of numbers below a bound, so that a run can be repeated by its seed. */
function numbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Bytes in use once garbage is collected. */
function settledMemory(): { readonly heap: number; readonly resident: number } {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect === "function") collect();
  const { heapUsed, rss } = process.memoryUsage();
  return { heap: heapUsed, resident: rss };
}

test(`${INPUTS} hostile inputs: a value or a code each, in time, and no memory kept`, (t) => {
  const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);
  t.diagnostic(`seed ${seed}`);
  const next = numbers(seed);
  const root = new TestCa("spiffe://a");
  const end = root.issue("spiffe://a/x", { dnsNames: ["x.org"] });
  const constrained = makeCertificate({ isAuthority: true, pathLength: 1, permitted: ["a"] });
  const signer = keySigner(makeKey().privateKey);
  const seeds = {
    certificate: [end.certificate.der, root.certificate.der, constrained.der],
    csr: [createCsr(signer, { uris: ["spiffe://a/x"] }), createCsr(signer)],
    spki: [signer.spki, makeKey("rsa-2048").spki],
  };
  const mutate = (source: Uint8Array): Uint8Array => {
    let bytes = source.slice();
    for (let i = next(4); i >= 0; i--) {
      const at = next(bytes.length);
      const kind = next(6);
      if (kind === 0) bytes = bytes.subarray(0, at);
      else if (kind === 1) bytes = Uint8Array.from([...bytes, next(256)]);
      else if (kind === 2) bytes.copyWithin(at, next(bytes.length));
      else bytes[at] = kind === 3 ? (bytes[at] ?? 0) ^ (1 << next(8)) : next(256);
    }
    return bytes;
  };
  const pick = (from: readonly Uint8Array[]): Uint8Array =>
    mutate(from[next(from.length)] ?? Uint8Array.of());
  const attempts: readonly (() => unknown)[] = [
    () => parseCertificate(pick(seeds.certificate)),
    () => parseCertificates(pick(seeds.certificate)),
    () =>
      verifyPath([parseCertificate(pick(seeds.certificate))], [root.certificate], {
        now: Date.now(),
      }),
    () => verifyCsr(parseCsr(pick(seeds.csr))),
    () =>
      parsePem(Buffer.from(pick([Buffer.from(formatPem("X", signer.spki))])).toString("latin1")),
    () => publicKeyOf({ spki: pick(seeds.spki) }),
    () => parsePrivateKey(pick(seeds.spki)),
  ];
  const counts = { values: 0, codes: 0 };
  let slowestMs = 0;
  let warm = settledMemory();
  for (let input = 0; input < INPUTS; input++) {
    const begun = performance.now();
    try {
      attempts[input % attempts.length]?.();
      counts.values++;
    } catch (error) {
      if (!isBonafideError(error)) throw error;
      counts.codes++;
    }
    slowestMs = Math.max(slowestMs, performance.now() - begun);
    if (input === WARM) warm = settledMemory();
  }
  t.diagnostic(`${JSON.stringify(counts)}, slowest ${slowestMs.toFixed(1)} ms`);
  assert.ok(counts.codes > INPUTS / 2);
  assert.ok(counts.values > 0);
  assert.ok(slowestMs < INPUT_MS_MAX);
  const { heap, resident } = settledMemory();
  const grown = JSON.stringify({ warm, heap, resident });
  assert.ok(heap < warm.heap * 1.1, grown);
  // Compiled code and the allocator's arenas go on growing for a while; what is kept shows in the heap.
  assert.ok(resident < warm.resident * 1.25, grown);
});
