/** What a node was told last: entries and bundles by name, each with the number that it had. */
export interface Picture {
  readonly entries: ReadonlyMap<string, number>;
  readonly bundleNumber: number;
  /** Bundles of other trust domains. */
  readonly federated: ReadonlyMap<string, number>;
}

/** What changed from one picture to the next. */
export interface PictureDelta {
  readonly putEntries: readonly string[];
  readonly removedEntries: readonly string[];
  readonly hasNewBundle: boolean;
  readonly putFederated: readonly string[];
  readonly removedFederated: readonly string[];
}

/** The difference between two pictures; undefined: there is none. A number that differs, up or down, is a change. */
export function pictureDelta(before: Picture, after: Picture): PictureDelta | undefined {
  const [putEntries, removedEntries] = mapDelta(before.entries, after.entries);
  const [putFederated, removedFederated] = mapDelta(before.federated, after.federated);
  const hasNewBundle = before.bundleNumber !== after.bundleNumber;
  const changes = [putEntries, removedEntries, putFederated, removedFederated];
  if (!hasNewBundle && changes.every((names) => names.length === 0)) return undefined;
  return { putEntries, removedEntries, hasNewBundle, putFederated, removedFederated };
}

function mapDelta(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): readonly [put: readonly string[], removed: readonly string[]] {
  if (before === after) return [[], []];
  const put = [...after].flatMap(([name, number]) => (before.get(name) === number ? [] : [name]));
  return [put, [...before.keys()].filter((name) => !after.has(name))];
}
