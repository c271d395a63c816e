import type { DecisionReason } from "@bonafide/authz";
import { EDGES_MAX } from "../limits.ts";

/** Who asked whom for what, and what came of it. */
export interface Edge {
  /** SPIFFE ID; `*`: folded, see {@link EdgeCounters}. */
  readonly caller: string;
  /** Whether a user was behind it. Users are not told apart here; records have them. */
  readonly onBehalf: boolean;
  readonly action: string;
  /** Id of the resource, `payments/?` for all undeclared paths; `?` if nobody can say. */
  readonly resource: string;
  readonly allowed: boolean;
  readonly reason: DecisionReason;
  /** The first determining policy of the caller's own edge; empty if there is none. */
  readonly policy: string;
  /** What shadow policies, and the candidate bundle, would have answered otherwise. */
  readonly shadow: DecisionReason | "";
  readonly candidate: DecisionReason | "";
}

/** An edge with how often it was used since the last look. */
export interface CountedEdge extends Edge {
  readonly count: number;
  /** Epoch ms. */
  readonly lastAt: number;
}

/** What was counted since the last look. */
export interface EdgeReport {
  readonly edges: readonly CountedEdge[];
  /** Calls that were allowed and denied, all of them; equal to the sum over edges plus `uncounted`. */
  readonly allowed: number;
  readonly denied: number;
  /** Calls to undeclared paths. */
  readonly undeclared: number;
  /** Calls that stand in no edge, since even the folded ones were too many. */
  readonly uncounted: number;
}

interface Counter {
  count: number;
  lastAt: number;
}

/**
 * Counts every call by edge, in bounded memory. Undeclared paths are one edge, however many there are. Beyond 10,000
 * edges a new one is folded: its caller becomes `*` and its policy is left out, so that what remains is bounded by what
 * the bundle declares; twice as many are the end, and then calls are only summed.
 */
export class EdgeCounters {
  readonly #max: number;
  #edges = new Map<string, Counter>();
  #sums = { allowed: 0, denied: 0, undeclared: 0, uncounted: 0 };

  constructor({ max = EDGES_MAX }: { readonly max?: number } = {}) {
    this.#max = max;
  }

  /** Counts one call. */
  add(
    edge: Edge,
    { now, isDeclared }: { readonly now: number; readonly isDeclared: boolean },
  ): void {
    if (edge.allowed) this.#sums.allowed++;
    else this.#sums.denied++;
    if (!isDeclared) this.#sums.undeclared++;
    const counter =
      this.#counter(keyOf(edge), this.#max) ??
      this.#counter(keyOf({ ...edge, caller: "*", policy: "" }), this.#max * 2);
    if (counter === undefined) {
      this.#sums.uncounted++;
      return;
    }
    counter.count++;
    counter.lastAt = now;
  }

  /** How many edges are held. */
  get size(): number {
    return this.#edges.size;
  }

  /** What was counted since the last time, and starts anew. */
  take(): EdgeReport {
    const edges = [...this.#edges].map(([key, counter]) => ({ ...edgeOf(key), ...counter }));
    const report = { edges, ...this.#sums };
    this.#edges = new Map();
    this.#sums = { allowed: 0, denied: 0, undeclared: 0, uncounted: 0 };
    return report;
  }

  #counter(key: string, max: number): Counter | undefined {
    const known = this.#edges.get(key);
    if (known !== undefined || this.#edges.size >= max) return known;
    const counter = { count: 0, lastAt: 0 };
    this.#edges.set(key, counter);
    return counter;
  }
}

/** One text instead of an object for each edge: half the memory. No part holds a line end. */
function keyOf(edge: Edge): string {
  const { caller, onBehalf, action, resource, allowed, reason, policy, shadow, candidate } = edge;
  const flags = `${onBehalf ? "u" : "-"}${allowed ? "a" : "-"}`;
  return `${caller}\n${flags}\n${action}\n${resource}\n${reason}\n${policy}\n${shadow}\n${candidate}`;
}

function edgeOf(key: string): Edge {
  const [caller = "", flags = "", action = "", resource = "", ...rest] = key.split("\n");
  const [reason = "", policy = "", shadow = "", candidate = ""] = rest;
  return {
    caller,
    onBehalf: flags.startsWith("u"),
    action,
    resource,
    allowed: flags.endsWith("a"),
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by keyOf above
    reason: reason as DecisionReason,
    policy,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
    shadow: shadow as Edge["shadow"],
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
    candidate: candidate as Edge["candidate"],
  };
}
