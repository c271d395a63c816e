/** Why evaluating a policy ended in an error. */
export type FaultKind =
  | "type"
  | "overflow"
  | "attribute-missing"
  | "entity-missing"
  | "tag-missing"
  | "extension";

/**
 * The error of one evaluation. Cedar skips a policy that errs; so it is an answer of the engine, thrown only to leave
 * nested closures, and made once per kind, since a stack trace costs more than a whole decision.
 */
export class Fault extends Error {
  override readonly name = "Fault";
  readonly kind: FaultKind;

  constructor(kind: FaultKind) {
    super(kind);
    this.kind = kind;
  }
}

/** The one instance per kind. */
export const FAULTS: Readonly<Record<FaultKind, Fault>> = {
  type: new Fault("type"),
  overflow: new Fault("overflow"),
  "attribute-missing": new Fault("attribute-missing"),
  "entity-missing": new Fault("entity-missing"),
  "tag-missing": new Fault("tag-missing"),
  extension: new Fault("extension"),
};
