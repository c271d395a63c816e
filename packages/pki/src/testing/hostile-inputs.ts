import assert from "node:assert/strict";
import process from "node:process";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { isBonafideError } from "@bonafide/errors";

/** Gives a whole number from 0 to below its argument. */
export type NextNumber = (below: number) => number;

/** Something that reads one hostile input: it returns, or throws a coded error. */
export type Attempt = () => unknown;

/** What a run of hostile inputs came to. */
export interface HostileRun {
  readonly values: number;
  readonly codes: number;
  readonly slowestMs: number;
  /** Memory after a tenth of the inputs. */
  readonly warm: HeldMemory;
  /** Memory after all of them. */
  readonly held: HeldMemory;
}

/** Bytes in use. */
export interface HeldMemory {
  readonly heap: number;
  readonly resident: number;
}

/** The seed of a run: `SEED` of the environment, or any. */
export function hostileSeed({ SEED }: NodeJS.ProcessEnv): number {
  return Number(SEED ?? Date.now() % 2 ** 31);
}

/** A small generator of numbers, so that a run can be repeated by its seed. */
export function seededNumbers(seed: number): NextNumber {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** The same bytes with up to four defects: cut off, longer, moved, flipped, overwritten. */
export function defective(next: NextNumber, source: Uint8Array): Uint8Array {
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
}

/**
 * Makes attempts in turn, so many in all.
 *
 * @throws what an attempt throws that is no coded error
 */
export async function attemptAll(
  attempts: readonly Attempt[],
  inputs: number,
): Promise<HostileRun> {
  let values = 0;
  let codes = 0;
  let slowestMs = 0;
  let warm: HeldMemory = { heap: 0, resident: 0 };
  for (let input = 0; input < inputs; input++) {
    const begun = performance.now();
    try {
      attempts[input % attempts.length]?.();
      values++;
    } catch (error) {
      if (!isBonafideError(error)) throw error;
      codes++;
    }
    slowestMs = Math.max(slowestMs, performance.now() - begun);
    // Native keys wait for a collection that their size does not hurry: how many wait is not what is asked here.
    if (input % 2000 === 0) await collectGarbage();
    if (input === Math.floor(inputs / 10)) warm = await settledMemory();
  }
  return { values, codes, slowestMs, warm, held: await settledMemory() };
}

/** Judges a run: both kinds of answers, each within a second. */
export function assertAnswered({ values, codes, slowestMs }: HostileRun): void {
  assert.ok(codes > (values + codes) / 2, `${values} values, ${codes} codes`);
  assert.ok(values > 0);
  assert.ok(slowestMs < INPUT_MS_MAX, `${slowestMs} ms`);
}

/** Judges a run: memory within a tenth of what it was after a tenth of the inputs. */
export function assertNothingHeld({ warm, held }: HostileRun): void {
  const figures = JSON.stringify({ warm, held });
  assert.ok(held.heap <= warm.heap * 1.1, figures);
  assert.ok(held.resident <= warm.resident * 1.1, figures);
}

const INPUT_MS_MAX = 1000;

async function collectGarbage(): Promise<void> {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect === "function") collect({ type: "major", flavor: "last-resort" });
  await nextTurn(); // finalizers
}

/** Once garbage is collected: the least of several samples, since pages go back in the background. */
async function settledMemory(): Promise<HeldMemory> {
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
