/** Uids that an account may use beside its own, as /etc/subuid gives them. */
interface UidRange {
  readonly first: number;
  readonly last: number;
  readonly owner: number;
}

/** Highest uid; 2^32-1 means "none". */
const UID_MAX = 2 ** 32 - 2;

/** Ranges that are taken; a machine has one for each of its people, or two. */
const RANGES_MAX = 65_536;

/** Who answers for a uid. Pure and immutable. */
export class UidOwners {
  readonly #ranges: readonly UidRange[];

  constructor(ranges: readonly UidRange[]) {
    this.#ranges = ranges.toSorted((a, b) => a.first - b.first);
  }

  /**
   * The account that a subordinate uid was given to; any other uid answers for itself. Root's subordinate uids do: whoever
   * is in them is not root, and is not to be counted as root is.
   */
  ownerOf(uid: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ranges[middle]?.first ?? Infinity) <= uid) low = middle + 1;
      else high = middle;
    }
    const range = this.#ranges[low - 1];
    return range !== undefined && uid <= range.last ? range.owner : uid;
  }
}

/** Every uid answers for itself. */
export const noUidOwners: UidOwners = new UidOwners([]);

/**
 * Reads subordinate uids. A line that is no `name-or-uid:first:count`, that names an unknown account, that is root's, or
 * that overlaps one before it is left out, as it gives nobody more than a share of its own.
 *
 * @param subuid  Text of /etc/subuid.
 * @param passwd  Text of /etc/passwd, for the names.
 */
export function parseUidOwners(subuid: string, passwd: string): UidOwners {
  const uids = uidsByName(passwd);
  const taken: UidRange[] = [];
  for (const line of subuid.split("\n", RANGES_MAX)) {
    const range = parseRange(line, uids);
    if (range !== undefined) taken.push(range);
  }
  return new UidOwners(withoutOverlaps(taken));
}

function parseRange(line: string, uids: ReadonlyMap<string, number>): UidRange | undefined {
  const [who = "", first = "", count = "", ...rest] = line.trim().split(":");
  const owner = uids.get(who) ?? numberOf(who);
  const from = numberOf(first);
  const size = numberOf(count);
  if (rest.length > 0 || owner === undefined || from === undefined || size === undefined) {
    return undefined;
  }
  const last = from + size - 1;
  const isSound = owner !== 0 && from > 0 && size > 0 && last <= UID_MAX;
  return isSound ? { first: from, last, owner } : undefined;
}

/** Of ranges that overlap the one that begins first; of those the one that was read first. */
function withoutOverlaps(ranges: readonly UidRange[]): UidRange[] {
  const kept: UidRange[] = [];
  for (const range of ranges.toSorted((a, b) => a.first - b.first)) {
    if (range.first > (kept.at(-1)?.last ?? 0)) kept.push(range);
  }
  return kept;
}

function uidsByName(passwd: string): ReadonlyMap<string, number> {
  const uids = new Map<string, number>();
  for (const line of passwd.split("\n")) {
    const [name = "", , uid = ""] = line.split(":");
    const value = numberOf(uid);
    if (name !== "" && value !== undefined && !uids.has(name)) uids.set(name, value);
  }
  return uids;
}

function numberOf(text: string): number | undefined {
  return /^[0-9]{1,10}$/.test(text) && Number(text) <= UID_MAX ? Number(text) : undefined;
}
