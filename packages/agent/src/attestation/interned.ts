import type { Observation } from "./observation.ts";

/**
 * One object for equal observations, as long as somebody holds it: thousands of streams of a few processes hold a few
 * observations, and comparing a look with the one before is mostly comparing an object with itself.
 */
export class InternedObservations {
  readonly #known = new Map<string, WeakRef<Observation>>();
  readonly #forget = new FinalizationRegistry<string>((name) => {
    if (this.#known.get(name)?.deref() === undefined) this.#known.delete(name);
  });

  /** How many are held, those that nobody holds any more among them until they are collected. */
  get size(): number {
    return this.#known.size;
  }

  /** The equal one that is held already, or this. */
  intern(observation: Observation): Observation {
    const name = JSON.stringify(observation, (_key, value: unknown) =>
      typeof value === "bigint" ? String(value) : value,
    );
    const known = this.#known.get(name)?.deref();
    if (known !== undefined) return known;
    this.#known.set(name, new WeakRef(observation));
    this.#forget.register(observation, name);
    return observation;
  }
}
