import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
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

async function collectGarbage(): Promise<void> {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect === "function") collect({ type: "major", flavor: "last-resort" });
  await nextTurn(); // finalizers
}

interface Memory {
  readonly heap: number;
  readonly resident: number;
}

/** Bytes in use once garbage is collected: the least of several samples, since pages go back in the background. */
async function settledMemory(): Promise<Memory> {
  const least = { heap: Infinity, resident: Infinity };
  for (let sample = 0; sample < 8; sample++) {
    await sleep(250);
    await collectGarbage();
    const { heapUsed, rss } = process.memoryUsage();
    least.heap = Math.min(least.heap, heapUsed);
    least.resident = Math.min(least.resident, rss);
  }
  return least;
}

test(`${INPUTS} hostile inputs: a value or a code each, in time, and no memory kept`, async (t) => {
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
  let warm: Memory = { heap: 0, resident: 0 };
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
    // Native keys wait for a collection that their size does not hurry: how many wait is not what is asked here.
    if (input % 2000 === 0) await collectGarbage();
    if (input === WARM) warm = await settledMemory();
  }
  t.diagnostic(`${JSON.stringify(counts)}, slowest ${slowestMs.toFixed(1)} ms`);
  assert.ok(counts.codes > INPUTS / 2);
  assert.ok(counts.values > 0);
  assert.ok(slowestMs < INPUT_MS_MAX);
  const held = await settledMemory();
  const figures = JSON.stringify({ warm, held });
  t.diagnostic(`kept: ${figures}`);
  assert.ok(held.heap <= warm.heap * 1.1, figures);
  assert.ok(held.resident <= warm.resident * 1.1, figures);
});
