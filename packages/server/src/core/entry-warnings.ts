import type { EntryObject } from "@bonafide/ledger";
import type { RegistryView } from "../lane/registry-view.ts";
import { serverIdOf } from "./authorized-entries.ts";

/** Something an operator should know about an entry; it does not stop it. */
export interface EntryWarning {
  /** Dotted. */
  readonly code: string;
  /** A sentence for people. */
  readonly text: string;
}

/** What is likely not meant about an entry that is about to be written. */
export function entryWarnings(
  view: RegistryView,
  entry: EntryObject,
  trustDomain: string,
): readonly EntryWarning[] {
  const warnings: EntryWarning[] = [];
  const serverId = serverIdOf(trustDomain);
  const node = view.find("node", entry.parentId)?.object;
  const hasParent =
    entry.parentId === serverId ||
    (node !== undefined && node.state === "live") ||
    hasAny(view.entriesBySpiffeId(entry.parentId));
  if (!hasParent) {
    warnings.push({
      code: "entry.parent_unknown",
      text: "No node, and no other entry, has this parent ID yet: nobody can get this identity.",
    });
  }
  if (node?.state === "banned") {
    warnings.push({ code: "entry.parent_banned", text: "The node of this parent ID is banned." });
  }
  if (entry.admin || entry.downstream) {
    warnings.push({
      code: "entry.flagged",
      text: "Whoever gets this identity gets rights over the server with it.",
    });
  }
  return warnings;
}

function hasAny(items: Iterable<unknown>): boolean {
  return items[Symbol.iterator]().next().done !== true;
}
