import { CALLERS_KEPT_MAX } from "../../limits.ts";
import { type EntitySource, EntityStore } from "../engine/entities.ts";
import { entityOf } from "./entity-names.ts";
import { type AccessModel, workloadEntities } from "./model.ts";

/** What the callers of a bundle are told from; a `VerifiedBundle` is one. */
export interface KnownCallers {
  readonly model: Pick<AccessModel, "trustDomain" | "idOwners">;
  readonly entities: EntitySource;
}

/**
 * The entities to decide about a caller with, also one that the bundle does not list: who they are follows from the
 * SPIFFE ID, and their kind is unknown. A policy that asks for it errs, and a forbid that errs denies: an agent does not
 * become a service by not being listed.
 */
export class CallerEntities {
  readonly #known: KnownCallers;
  readonly #derived = new Map<string, EntitySource>();

  constructor(known: KnownCallers) {
    this.#known = known;
  }

  /** @param caller  SPIFFE ID, of any trust domain. @throws AUTHZ_REQUEST_INVALID  none */
  of(caller: string): EntitySource {
    const { entities } = this.#known;
    if (entities.find(keyOf(caller)) !== undefined) return entities;
    const before = this.#derived.get(caller);
    if (before !== undefined) return before;
    const derived = derive(this.#known, caller);
    // Callers come and go; who is forgotten is derived again.
    if (this.#derived.size >= CALLERS_KEPT_MAX) this.#derived.clear();
    this.#derived.set(caller, derived);
    return derived;
  }

  /** Whether a workload is an AI agent; one that the bundle does not list might be. */
  mayBeAgent(workload: string): boolean {
    const kind = this.#known.entities.find(keyOf(workload))?.attributes.get("kind");
    return kind === undefined || kind === "ai-agent";
  }
}

function derive({ model, entities }: KnownCallers, id: string): EntitySource {
  const key = keyOf(id);
  const inputs = workloadEntities(model, { id, kind: "service", attested: [] });
  return EntityStore.of(
    inputs.map((input) => (input.uid.key === key ? { ...input, attributes: new Map() } : input)),
    entities,
  );
}

function keyOf(workload: string): string {
  return entityOf("Workload", workload).key;
}
