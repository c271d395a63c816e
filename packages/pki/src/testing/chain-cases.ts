import { acceptedCases, rotationCases } from "./accepted-cases.ts";
import type { ChainCase } from "./chain-case.ts";
import { constraintCases, issuerCases, leafCases, malformedCases } from "./rejected-cases.ts";

/**
 * The accept and reject lists of the conformance page (its §2.1) as far as they do not concern SPIFFE IDs, and
 * cross-signing, loops, suffix constraints and malformed certificates besides. New keys on each call.
 */
export function chainCases(): readonly ChainCase[] {
  return [
    ...acceptedCases(),
    ...rotationCases(),
    ...leafCases(),
    ...issuerCases(),
    ...constraintCases(),
    ...malformedCases(),
  ];
}
