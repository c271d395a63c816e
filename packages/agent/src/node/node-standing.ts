import { type Known, nothingKnown } from "../core/standing.ts";
import type { StandingFact } from "../core/why/facts.ts";

/** What calls taught the agent about its server, and how it stands with it, in words for operators. */
export class NodeStanding {
  #known: Known = nothingKnown;
  #fact: StandingFact = { kind: "not_attested", detail: "it has not tried yet" };

  get known(): Known {
    return this.#known;
  }

  get fact(): StandingFact {
    return this.#fact;
  }

  /** Adds to what is known. */
  knows(more: Partial<Known>): void {
    this.#known = { ...this.#known, ...more };
  }

  /** Says how the agent stands from now on. */
  says(fact: StandingFact): void {
    this.#fact = fact;
  }
}
