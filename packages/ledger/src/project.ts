import { type AnyObject, naturalKeyOf, selectorText } from "./objects.ts";

/** What the query tables hold of an object beside its place; lists are filtered by these. */
export type RowColumns =
  | {
      readonly kind: "entry";
      readonly entryId: string;
      readonly spiffeId: string;
      readonly parentId: string;
      /** `type:value`, sorted, without doubles. */
      readonly selectors: readonly string[];
      /** Trust domain names, sorted, without doubles. */
      readonly federatesWith: readonly string[];
      readonly hint: string;
      readonly downstream: boolean;
    }
  | {
      readonly kind: "node";
      readonly spiffeId: string;
      readonly attestationType: string;
      /** `type:value`, sorted, without doubles. */
      readonly selectors: readonly string[];
      readonly state: "live" | "banned" | "evicted";
      readonly canReattest: boolean;
    }
  | {
      readonly kind: "joinToken";
      readonly tokenSha256: string;
      readonly expiresAtMs: number;
      readonly spent: boolean;
    }
  | { readonly kind: "other"; readonly naturalKey: string };

/** One row of the projections: the newest leaf of a key whose object is there. */
export interface ProjectionRow {
  /** Number of the kind. */
  readonly kindNumber: number;
  /** 16 bytes. */
  readonly key: Uint8Array;
  /** n of the object's newest leaf. */
  readonly n: number;
  /** n of the leaf that made the object, since its last removal: the order of lists and their page tokens. */
  readonly firstN: number;
  readonly columns: RowColumns;
}

/** The columns of an object: the only place that says what the query tables hold. */
export function columnsOf(object: AnyObject): RowColumns {
  switch (object.kind) {
    case "entry":
      return {
        kind: "entry",
        entryId: object.id,
        spiffeId: object.spiffeId,
        parentId: object.parentId,
        selectors: sortedSet(object.selectors.map(selectorText)),
        federatesWith: sortedSet(object.federatesWith),
        hint: object.hint,
        downstream: object.downstream,
      };
    case "node":
      return {
        kind: "node",
        spiffeId: object.spiffeId,
        attestationType: object.attestationType,
        selectors: sortedSet(object.selectors.map(selectorText)),
        state: object.state,
        canReattest: object.canReattest,
      };
    case "joinToken":
      return {
        kind: "joinToken",
        tokenSha256: object.tokenSha256,
        expiresAtMs: object.expiresAtMs,
        spent: object.spent !== undefined,
      };
    default:
      return { kind: "other", naturalKey: naturalKeyOf(object) };
  }
}

/** Columns as one text, for comparing what a store holds with what its leaves say. */
export function columnsText(columns: RowColumns): string {
  switch (columns.kind) {
    case "entry": {
      const { entryId, spiffeId, parentId, selectors, federatesWith, hint, downstream } = columns;
      return JSON.stringify([
        "entry",
        entryId,
        spiffeId,
        parentId,
        selectors,
        federatesWith,
        hint,
        downstream,
      ]);
    }
    case "node": {
      const { spiffeId, attestationType, selectors, state, canReattest } = columns;
      return JSON.stringify(["node", spiffeId, attestationType, selectors, state, canReattest]);
    }
    case "joinToken":
      return JSON.stringify(["joinToken", columns.tokenSha256, columns.expiresAtMs, columns.spent]);
    default:
      return JSON.stringify(["other", columns.naturalKey]);
  }
}

/** Sorted by code units, which every store can do alike, and without doubles. */
function sortedSet(words: readonly string[]): string[] {
  return [...new Set(words)].toSorted((a, b) => (a < b ? -1 : Number(a > b)));
}
