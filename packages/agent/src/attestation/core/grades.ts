import type { Grade } from "@bonafide/plugin-api";

/**
 * What each kind of selector is worth; docs/attestation.md prints the same table, and a test compares the two. An
 * attestor never gives more than this.
 */
export const SELECTOR_GRADES = {
  "unix:uid": "user",
  "unix:user": "user",
  "unix:gid": "user",
  "unix:group": "user",
  "unix:supplementary_gid": "user",
  "unix:supplementary_group": "user",
  "unix:path": "label",
  "unix:sha256": "label",
  "unix:cgroup": "boundary",
  "ns:user:host": "boundary",
  "ns:pid:host": "boundary",
  "ns:mnt:host": "boundary",
  "ns:user:other": "label",
  "ns:pid:other": "label",
  "ns:mnt:other": "label",
  "launcher:name": "label",
  "launcher:uid": "label",
  "launcher:name from another uid": "user",
  "launcher:uid from another uid": "user",
} as const;
SELECTOR_GRADES satisfies Readonly<Record<string, Grade>>;

/** A kind of selector that has a grade. */
export type SelectorKind = keyof typeof SELECTOR_GRADES;
