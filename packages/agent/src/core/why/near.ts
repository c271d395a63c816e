import { type Selector, selectorText } from "../entry.ts";

/** Kinds per selector type, as SPIRE and we name them; a type that is not here is somebody's own. */
export const KNOWN_KINDS: Readonly<Record<string, readonly string[]>> = {
  unix: [
    "uid",
    "user",
    "gid",
    "group",
    "supplementary_gid",
    "supplementary_group",
    "path",
    "sha256",
    "cgroup",
  ],
  launcher: ["name", "uid"],
  ns: ["user", "pid", "mnt"],
  docker: ["label", "env", "image_id", "image_config_digest"],
  systemd: ["id", "fragment_path"],
  k8s: [
    "ns",
    "ns-label",
    "sa",
    "container-image",
    "container-name",
    "node-name",
    "pod-label",
    "pod-owner",
    "pod-owner-uid",
    "pod-uid",
    "pod-name",
    "pod-image",
    "pod-image-count",
    "pod-init-image",
    "pod-init-image-count",
    "image-signature",
  ],
  windows: ["user_sid", "user_name", "group_sid", "group_name", "path", "sha256"],
  socket: ["name"],
};

/** Kinds whose value is a number, and the kind that takes the name instead. */
const NAMED_TWIN: Readonly<Record<string, string>> = {
  "unix:uid": "unix:user",
  "unix:gid": "unix:group",
  "unix:supplementary_gid": "unix:supplementary_group",
};

/** `unix:uid` of `unix:uid:1000`. */
export function selectorKind(selector: Selector): string {
  return `${selector.type}:${selector.value.split(":", 1)[0] ?? ""}`;
}

/** `1000` of `unix:uid:1000`; empty when the value has one part only. */
export function selectorRest(selector: Selector): string {
  const colon = selector.value.indexOf(":");
  return colon < 0 ? "" : selector.value.slice(colon + 1);
}

/** The known kind that an unknown one most likely meant; undefined when the kind is known or nobody's. */
export function nearestKind(selector: Selector): string | undefined {
  const kinds = KNOWN_KINDS[selector.type];
  const first = selector.value.split(":", 1)[0] ?? "";
  if (kinds !== undefined) {
    if (kinds.includes(first)) return undefined;
    const near = nearest(first, kinds) ?? kinds[0] ?? "";
    return `${selector.type}:${near}`;
  }
  const type = nearest(selector.type, Object.keys(KNOWN_KINDS));
  return type === undefined ? undefined : `${type}:${first}`;
}

/** A value among those observed that was most likely meant, and why it looks so. */
export interface NearMiss {
  readonly meant: string;
  readonly why: string;
}

/** Judges a wanted selector that is not present against the observed ones of its kind and of its twin. */
export function nearMiss(wanted: Selector, observed: readonly Selector[]): NearMiss | undefined {
  const kind = selectorKind(wanted);
  const rest = selectorRest(wanted);
  const twin = NAMED_TWIN[kind];
  if (twin !== undefined && !/^\d+$/.test(rest)) {
    const named = observed.find(
      (selector) => selectorKind(selector) === twin && selectorRest(selector) === rest,
    );
    const meant = named === undefined ? `${twin}:${rest}` : selectorText(named);
    return { meant, why: `${kind} takes a number, and ${JSON.stringify(rest)} is a name` };
  }
  const numeric = Object.entries(NAMED_TWIN).find(([, named]) => named === kind)?.[0];
  if (numeric !== undefined && /^\d+$/.test(rest)) {
    return { meant: `${numeric}:${rest}`, why: `${kind} takes a name, and ${rest} is a number` };
  }
  for (const selector of observed) {
    if (selectorKind(selector) !== kind) continue;
    const seen = selectorRest(selector);
    const why = nearValue(rest, seen);
    if (why !== undefined) return { meant: selectorText(selector), why };
  }
  return undefined;
}

/** How two different values are near to each other; undefined when they are not. */
export function nearValue(wanted: string, seen: string): string | undefined {
  if (wanted === seen) return undefined;
  if (wanted.toLowerCase() === seen.toLowerCase()) return "the letter case differs";
  if (wanted.replace(/\/+$/, "") === seen.replace(/\/+$/, "")) return "a trailing slash differs";
  if (wanted.trim() === seen.trim()) return "white space differs";
  // Two numbers are two users, however alike their digits are.
  if (/^\d+$/.test(wanted) && /^\d+$/.test(seen)) return undefined;
  const shorter = Math.min(wanted.length, seen.length);
  const distance = editDistance(wanted, seen, 2);
  if (distance > 2 || shorter <= distance + 1) return undefined;
  return `${distance} ${distance === 1 ? "letter differs" : "letters differ"}`;
}

/** The nearest of `among` within two edits, and fewer than the word has letters: a letter is like every other one. */
export function nearest(text: string, among: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.min(3, text.length);
  for (const other of among) {
    const distance = editDistance(text, other, 2);
    if (distance < bestDistance) [best, bestDistance] = [other, distance];
  }
  return best;
}

/** Longest text that is compared letter by letter; beyond it only the cheap comparisons count. */
const COMPARED_LENGTH_MAX = 256;

/**
 * Optimal string alignment distance (insert, delete, replace, swap of neighbours), or `limit + 1` when it is larger.
 */
export function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  if (a.length > COMPARED_LENGTH_MAX || b.length > COMPARED_LENGTH_MAX) return limit + 1;
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
      }
      row.push(cost);
    }
    if (Math.min(...row) > limit) return limit + 1;
    [before, last] = [last, row];
  }
  return Math.min(last[b.length] ?? 0, limit + 1);
}
