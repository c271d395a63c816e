import { BonafideError } from "@bonafide/errors";
import { encodeObject, type Meta, naturalKeyOf, PART_BYTES_MAX } from "@bonafide/ledger";
import { BatchBuilder, type BuiltBatch } from "./batch-builder.ts";
import { LANE_ERRORS } from "./lane-errors.ts";
import { LANE_BATCH_MAX, PROPOSAL_CHANGES_MAX } from "./limits.ts";
import { Overlay } from "./overlay.ts";
import type { Change, Decide, WritableObject } from "./registry-view.ts";
import type { Registry } from "./registry.ts";
import type { AppliedChange, ProposalOptions } from "./write-lane.ts";

/** A proposal that waits, as the planner sees it. */
export interface Proposal {
  readonly decide: Decide;
  readonly options: ProposalOptions;
}

/** What planning made of one proposal. */
export type Judged<P extends Proposal> =
  | { readonly proposal: P; readonly changes: readonly AppliedChange[] }
  | { readonly proposal: P; readonly refusal: unknown };

/** A planned batch: what became of each proposal if the store takes it. */
export interface Plan<P extends Proposal> {
  readonly judged: readonly Judged<P>[];
  /** Proposals that did not fit any more, in order; they come first next time. */
  readonly deferred: readonly P[];
  /** undefined: nothing to write. */
  readonly built: BuiltBatch | undefined;
}

/**
 * Judges proposals one by one, each against the registry and the accepted ones before it; a bad one is refused alone.
 * Pure but for salts.
 */
export function planBatch<P extends Proposal>(
  registry: Registry,
  proposals: readonly P[],
  time: number,
): Plan<P> {
  const overlay = new Overlay(registry);
  const builder = new BatchBuilder(registry, { time });
  const judged: Judged<P>[] = [];
  let deferred: readonly P[] = [];
  for (const [i, proposal] of proposals.entries()) {
    let wanted: readonly Encoded[];
    try {
      wanted = checked(overlay, proposal.decide(overlay));
    } catch (refusal) {
      judged.push({ proposal, refusal });
      continue;
    }
    if (builder.size > 0 && builder.size + wanted.length > LANE_BATCH_MAX) {
      deferred = proposals.slice(i);
      break;
    }
    const meta = metaOf(proposal.options);
    const changes = wanted.map((change) => {
      const { kind, naturalKey, object } = change;
      const { epoch, n, firstN } = builder.add({ ...change, meta });
      overlay.apply(kind, naturalKey, object, { epoch, n, firstN });
      const number = overlay.numberOf({ epoch, n });
      return { kind, naturalKey, object, epoch, n, firstN, number };
    });
    judged.push({ proposal, changes });
  }
  return { judged, deferred, built: builder.size === 0 ? undefined : builder.build() };
}

/** A change that is sure to become a leaf. */
interface Encoded {
  readonly kind: WritableObject["kind"];
  readonly naturalKey: string;
  readonly object: WritableObject | undefined;
  readonly objectBytes: Uint8Array;
}

function metaOf(options: ProposalOptions): Meta {
  const { actor, cause, requestId = new Uint8Array() } = options;
  return { actor, cause, settles: [], requestId, schema: 1 };
}

/** Holds a proposal to the rules that no caller may break, and encodes it. @throws PROPOSAL_INVALID */
function checked(overlay: Overlay, changes: readonly Change[]): readonly Encoded[] {
  if (changes.length > PROPOSAL_CHANGES_MAX) {
    throw invalid(`a proposal has at most ${PROPOSAL_CHANGES_MAX} changes`);
  }
  const seen = new Set<string>();
  return changes.map((change) => {
    const encoded = encodedChange(change);
    const { kind, naturalKey } = encoded;
    const name = `${kind}/${naturalKey}`;
    if (seen.has(name)) throw invalid("a proposal changes one object twice");
    seen.add(name);
    if (naturalKey === "") throw invalid("an object has no name");
    if ("remove" in change && overlay.find(kind, naturalKey) === undefined) {
      throw invalid("a proposal removes what is not there");
    }
    return encoded;
  });
}

function encodedChange(change: Change): Encoded {
  if ("remove" in change) {
    return { ...change.remove, object: undefined, objectBytes: new Uint8Array() };
  }
  const object = change.put;
  const { kind } = object;
  let objectBytes: Uint8Array;
  try {
    objectBytes = encodeObject(object);
  } catch (cause) {
    // A number that its field cannot hold; refused here, before a leaf of the batch depends on it.
    throw invalid("an object cannot be encoded", cause);
  }
  if (objectBytes.length > PART_BYTES_MAX) throw invalid("an object is larger than 1 MiB");
  return { kind, naturalKey: naturalKeyOf(object), object, objectBytes };
}

function invalid(why: string, cause?: unknown): BonafideError {
  return new BonafideError(LANE_ERRORS, "PROPOSAL_INVALID", why, { cause });
}
