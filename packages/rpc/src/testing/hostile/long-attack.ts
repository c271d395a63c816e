import assert from "node:assert/strict";
import process from "node:process";
import { attack, type AttackReport, type HostileTarget } from "./attack.ts";
import { type HeldResources, heldResources } from "./held-resources.ts";

/** What a long attack kept, beside what each input came to. */
export interface LongAttackReport extends AttackReport {
  readonly warm: HeldResources;
  readonly held: HeldResources;
}

const PARALLEL = 24;
/** More than the second that is promised only where others hold the processors. */
const WITHIN_MS = Number(process.env["WITHIN_MS"] ?? 1000);
const SILENT_MS = 10;

/** Sends a tenth of the inputs, looks at what the process holds, sends the rest, and looks again. */
export async function longAttack(
  targets: readonly HostileTarget[],
  { seed, inputs }: { readonly seed: number; readonly inputs: number },
): Promise<LongAttackReport> {
  const common = { parallel: PARALLEL, withinMs: WITHIN_MS, silentMs: SILENT_MS };
  const warmUp = Math.floor(inputs / 10);
  const first = await attack(targets, { ...common, seed, inputs: warmUp });
  const warm = await heldResources();
  const rest = await attack(targets, { ...common, seed: seed + warmUp, inputs: inputs - warmUp });
  const held = await heldResources();
  const ends = new Map(first.ends);
  for (const [what, count] of rest.ends) ends.set(what, (ends.get(what) ?? 0) + count);
  return { ends, late: [...first.late, ...rest.late], warm, held };
}

/**
 * Judges what was kept: heap after collection within a tenth, descriptors and timers not one more. Resident memory may
 * be a quarter more: compiled code and the allocator's arenas go on growing for a while, and what is kept shows in the heap.
 */
export function assertNothingKept({ warm, held }: LongAttackReport): void {
  const figures = JSON.stringify({ warm, held });
  assert.ok(held.heap < warm.heap * 1.1, figures);
  assert.ok(held.descriptors <= warm.descriptors, figures);
  assert.ok(held.timers <= warm.timers * 1.1 + 1, figures);
  assert.ok(held.resident < warm.resident * 1.25, figures);
}
