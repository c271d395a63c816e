// Kinds of selectors, an entry of its own: who checks what an operator typed should not load an agent first.
import { SELECTOR_GRADES } from "./attestation/core/grades.ts";

export { KNOWN_KINDS, nearest, nearestKind } from "./core/why/near.ts";

/** Types of the selectors that this agent itself observes. */
export const OWN_TYPES: ReadonlySet<string> = new Set(
  Object.keys(SELECTOR_GRADES).map((kind) => kind.split(":", 1)[0] ?? ""),
);
