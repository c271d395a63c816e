import type { Clock } from "@bonafide/lifetime";
import type { WorkloadAttestor, WorkloadCaller, WorkloadFacts } from "@bonafide/plugin-api";
import {
  ATTESTORS_GRACE_MS,
  SELECTOR_VALUE_BYTES_MAX,
  SELECTORS_PER_ATTESTOR_MAX,
} from "./limits.ts";
import type { Attempt } from "./steps.ts";

/** Made once: the reason of an abort that nobody reads costs more than all else here. */
const IN_TIME = new Error("in time");

/** Bounds of one run. */
interface RunBounds {
  readonly msMax: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Runs all attestors side by side within one span of time. One that fails or is late costs its own selectors only; one
 * that breaks its contract is not believed at all.
 */
export function attestorsRunner(
  deps: { readonly clock: Clock; readonly attestors: readonly WorkloadAttestor[] },
  bounds: RunBounds,
): (attempt: Attempt) => Promise<void> {
  return async (attempt) => {
    const caller = callerOf(attempt);
    const ended = new AbortController();
    const soft = new AbortController();
    const hard = new AbortController();
    const clockOut = async (): Promise<void> => {
      const quiet = { signal: ended.signal, unref: true };
      await deps.clock.sleep(bounds.msMax, quiet);
      soft.abort(new Error("attestor is late"));
      await deps.clock.sleep(ATTESTORS_GRACE_MS, quiet);
      hard.abort(new Error("attestor does not answer"));
    };
    const late = {
      soft:
        bounds.signal === undefined ? soft.signal : AbortSignal.any([soft.signal, bounds.signal]),
      hard: hard.signal,
    };
    const timer = clockOut().catch(() => {
      // Ended in time.
    });
    try {
      const found = await Promise.all(
        deps.attestors.map((attestor) => runOne(attestor, caller, late)),
      );
      bounds.signal?.throwIfAborted();
      for (const { selectors, omitted } of found) {
        attempt.selectors.push(...selectors);
        attempt.omitted.push(...omitted);
      }
    } finally {
      ended.abort(IN_TIME);
      await timer;
    }
  };
}

/** `soft` asks for what there is, `hard` gives up on whoever ignores that. */
interface Late {
  readonly soft: AbortSignal;
  readonly hard: AbortSignal;
}

async function runOne(
  attestor: WorkloadAttestor,
  caller: WorkloadCaller,
  late: Late,
): Promise<WorkloadFacts> {
  const nothing = (reason: "attestor.failed" | "attestor.timed_out", text: string) => ({
    selectors: [],
    omitted: [{ fact: attestor.name, reason, text }],
  });
  try {
    const facts = await orAbort(attestor.attest(caller, { signal: late.soft }), late.hard);
    return keepsContract(attestor, facts)
      ? facts
      : nothing("attestor.failed", `the ${attestor.name} attestor gave selectors it may not give`);
  } catch {
    return late.soft.aborted
      ? nothing("attestor.timed_out", `the ${attestor.name} attestor did not answer in time`)
      : nothing("attestor.failed", `the ${attestor.name} attestor failed`);
  }
}

function keepsContract(attestor: WorkloadAttestor, { selectors }: WorkloadFacts): boolean {
  return (
    selectors.length <= SELECTORS_PER_ATTESTOR_MAX &&
    selectors.every(
      ({ type, value }) =>
        type === attestor.name && value !== "" && value.length <= SELECTOR_VALUE_BYTES_MAX,
    )
  );
}

/** An attestor that ignores its signal must not hold up the others. */
function orAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      reject(new Error("attestor is late"));
    };
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    work.then(resolve, reject).finally(() => {
      signal.removeEventListener("abort", onAbort);
    });
  });
}

function callerOf(attempt: Attempt): WorkloadCaller {
  const { peer, facts, directory, cgroupId } = attempt;
  if (facts === undefined) throw new Error("facts are read before attestors run");
  return {
    pid: peer.pid,
    uid: peer.uid,
    gid: peer.gid,
    groups: peer.groups,
    pidfdInode: peer.pidfdInode,
    facts,
    cgroupId,
    procPath: (name) => directory?.path(name),
  };
}
