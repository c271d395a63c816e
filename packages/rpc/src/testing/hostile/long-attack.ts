import assert from "node:assert/strict";
import { attack, type AttackReport, type HostileTarget } from "./attack.ts";
import type { HeldResources } from "./held-resources.ts";
import { waitedForProcessor } from "./patience.ts";
import type { Victim, VictimState } from "./victim.ts";

/** What a long attack left in its victim, beside what each input came to. */
export interface LongAttackReport extends AttackReport {
  readonly warm: HeldResources;
  readonly held: HeldResources;
  readonly faults: readonly string[];
}

const PARALLEL = 24;
/** The second that is promised, of a machine that has processors for the two. */
const WITHIN_MS = 1000;
const SILENT_MS = 10;
/** What the issue allows to be held after all inputs over what is held after a tenth of them. */
const GROWTH = 1.1;

/** Sends a tenth of the inputs, asks the victim what it holds, sends the rest, and asks again. */
export async function longAttack(
  victim: Victim,
  targets: readonly HostileTarget[],
  { seed, inputs }: { readonly seed: number; readonly inputs: number },
): Promise<LongAttackReport> {
  const waitedMs = (): number => waitedForProcessor(victim.pid);
  const common = { parallel: PARALLEL, withinMs: WITHIN_MS, waitedMs, silentMs: SILENT_MS };
  const warmUp = Math.floor(inputs / 10);
  const first = await attack(targets, { ...common, seed, inputs: warmUp });
  const warm: VictimState = await victim.state();
  const rest = await attack(targets, { ...common, seed: seed + warmUp, inputs: inputs - warmUp });
  const { held, faults } = await victim.state();
  const ends = new Map(first.ends);
  for (const [what, count] of rest.ends) ends.set(what, (ends.get(what) ?? 0) + count);
  return { ends, late: [...first.late, ...rest.late], warm: warm.held, held, faults };
}

/** Judges what was kept: resident memory, heap, descriptors and timers within a tenth of what they were. */
export function assertNothingKept({ warm, held }: LongAttackReport): void {
  const figures = JSON.stringify({ warm, held });
  assert.ok(held.resident <= warm.resident * GROWTH, figures);
  assert.ok(held.heap <= warm.heap * GROWTH, figures);
  assert.ok(held.descriptors <= warm.descriptors, figures);
  // Of so few, one more is more than a tenth.
  assert.ok(held.timers <= warm.timers * GROWTH + 1, figures);
}
