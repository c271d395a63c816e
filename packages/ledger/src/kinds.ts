/**
 * Kinds of object. The numbers are for ever; 0x7f00 and above are for experiments and never released.
 *
 * @spec docs/adr/0020-leaf-format.md
 */
export const KINDS = {
  ledger: 1,
  epoch: 2,
  entry: 3,
  node: 4,
  joinToken: 5,
  authority: 6,
  bundle: 7,
  federation: 8,
  grant: 9,
  server: 10,
  alarm: 11,
  rule: 12,
  setting: 13,
  policy: 14,
} as const;

/** A kind by name. */
export type Kind = keyof typeof KINDS;
/** A released kind's number. */
export type KindNumber = (typeof KINDS)[Kind];

const names = new Map<number, Kind>();
// Object.entries loses the key type, so the table is walked by its own keys.
let kind: Kind;
for (kind in KINDS) names.set(KINDS[kind], kind);

/** The name of a kind's number; undefined for one that this version does not know. */
export function kindName(number: number): Kind | undefined {
  return names.get(number);
}

/** The highest schema of each kind that this version understands; a leaf that needs more stops the reader. */
export const KNOWN_SCHEMAS: Readonly<Record<Kind, number>> = {
  ledger: 1,
  epoch: 1,
  entry: 1,
  node: 1,
  joinToken: 1,
  authority: 1,
  bundle: 1,
  federation: 1,
  grant: 1,
  server: 1,
  alarm: 1,
  rule: 1,
  setting: 1,
  policy: 1,
};

/**
 * What a reader must do with a leaf: take it in, pass over it (it is hashed and kept all the same), or stop.
 *
 * `needs` is the lowest schema of the kind that a reader must know. 0 lets a reader skip a kind that it does not know;
 * anything else must be understood, because a field that narrows access may be in it.
 */
export function understanding(leaf: {
  readonly kind: number;
  readonly needs: number;
}): "adopt" | "skip" | "too-new" {
  const name = kindName(leaf.kind);
  if (name === undefined) return leaf.needs === 0 ? "skip" : "too-new";
  return leaf.needs <= KNOWN_SCHEMAS[name] ? "adopt" : "too-new";
}

/** `needs` of the leaves that this version writes: an alarm may be skipped, everything else must be understood. */
export function needsOf(kindOfLeaf: Kind): number {
  return kindOfLeaf === "alarm" ? 0 : 1;
}
