import type { Incarnation } from "@bonafide/ledger";

/** Which of the rules are on; a run with one of them off shows what it is for. */
export interface Rules {
  /** A promotion always opens an epoch. */
  readonly epochOnPromotion: boolean;
  /** A lower timeline than the remembered one is not used. */
  readonly deposedCheck: boolean;
  /** After a promotion, nobody writes until all who are here have said what they remember. Simulated only. */
  readonly checkIn: boolean;
  /** A state is on the server's own disk before it is told. */
  readonly rememberFirst: boolean;
  /** A lost denial always comes back. */
  readonly denialsAlways: boolean;
  /** A re-appended leaf names what it settles. */
  readonly settledMarks: boolean;
  /** An epoch's opening is a floor under every number. */
  readonly floor: boolean;
  /** An agent can prove a higher name than the store's head. Simulated only. */
  readonly sealedNames: boolean;
  /** Servers choose epochs in slots of their own. */
  readonly slottedEpochs: boolean;
}

/** Everything on. */
export const ALL_RULES: Rules = {
  epochOnPromotion: true,
  deposedCheck: true,
  checkIn: true,
  rememberFirst: true,
  denialsAlways: true,
  settledMarks: true,
  floor: true,
  sealedNames: true,
  slottedEpochs: true,
};

/** Which faults a history may have. */
export interface Weather {
  /** A standby that lags by 0 to 7 leaves is promoted. */
  readonly promotion: boolean;
  /** A deposed primary may go on taking writes, and be reached by an old address. */
  readonly unfenced: boolean;
  /** The disk is put back in place by 0 to 7 leaves. */
  readonly rollback: boolean;
  /** A copy that is up to 90 leaves old is restored into a new database. */
  readonly restore: boolean;
}

/** Every fault at once. */
export const STORM: Weather = { promotion: true, unfenced: true, rollback: true, restore: true };

/** What happened and how often; keys that begin with `I` and a digit are broken invariants. */
export type Tally = Map<string, number>;

/** A leaf, reduced to what the rules look at. */
export interface SimLeaf {
  readonly n: number;
  readonly epoch: number;
  readonly id: string;
  readonly name: string;
  readonly kind: "put" | "deny" | "epoch";
  readonly content: string;
  /** Ids of denials that whoever wrote this knew of. */
  readonly knows: ReadonlySet<string>;
  readonly settles?: readonly string[];
  readonly floor?: boolean;
  readonly abandons?: ReadonlySet<string>;
}

/** A database, or what is left of one. */
export interface SimDatabase extends Incarnation {
  leaves: readonly SimLeaf[];
  openedIn: Incarnation;
  boot: number;
  settledBoot: number;
  inRecovery: boolean;
  writable: boolean;
}

/** A server, with what it remembers in `view`. */
export interface SimServer {
  readonly id: number;
  db: SimDatabase;
  reachable: boolean;
  view: readonly SimLeaf[];
  floorNumber: number;
  incarnation: Incarnation;
  held: boolean;
  /** Newest leaves of the view that never reached its own disk. */
  forgotten: number;
  /** Highest epoch that it ever chose. */
  opened: number;
  /** The judge's truth: denials that this server acknowledged or served by, and that nobody undid knowingly. */
  readonly known: Map<string, Set<string>>;
  /** The same, and never forgotten. */
  readonly everKnown: Map<string, Set<string>>;
}

/** An agent, with the numbers it was told. */
export interface SimAgent {
  readonly id: number;
  server: SimServer;
  head: number;
  headId: string;
  readonly held: Map<string, { readonly number: number; readonly content: string }>;
}

/** A small generator: the same seed gives the same history on every machine. */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = (seed * 2_654_435_761) % 2 ** 32;
  }

  /** An integer in [0, below). */
  below(below: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * below);
  }

  /** One of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    const picked = list[this.below(list.length)];
    if (picked === undefined) throw new RangeError("nothing to pick from");
    return picked;
  }
}
