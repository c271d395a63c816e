import type { Change, Decide, RegistryView } from "../lane/registry-view.ts";
import { removal } from "./propose-entry.ts";

/** Removals of one proposal. */
const REMOVALS_MAX = 200;
/** How long a token is kept after its end, ms: longer than its first key may repeat the call. */
const TOKEN_KEPT_MS = 86_400_000;

/** What is over: entries past their end, and join tokens a day past theirs, with an alias that nobody ever took. */
export function overdueChanges(view: RegistryView, now: number): readonly Change[] {
  const changes: Change[] = [];
  for (const entry of view.all("entry")) {
    const endsAt = entry.object.expiresAtSeconds * 1000;
    if (endsAt > 0 && endsAt <= now) changes.push(removal(entry));
    if (changes.length >= REMOVALS_MAX) return changes;
  }
  for (const { object: token } of view.all("joinToken")) {
    if (token.expiresAtMs + TOKEN_KEPT_MS > now) continue;
    changes.push({ remove: { kind: "joinToken", naturalKey: token.tokenSha256 } });
    const alias = token.spent === undefined ? view.find("entry", token.aliasEntryId) : undefined;
    const isListed = changes.some(
      (change) => "remove" in change && change.remove.naturalKey === token.aliasEntryId,
    );
    if (alias !== undefined && !isListed) changes.push(removal(alias));
    if (changes.length >= REMOVALS_MAX) return changes;
  }
  return changes;
}

/** Removes what is over, as far as one proposal goes. */
export function proposeHousekeeping(now: number): Decide {
  return (view) => overdueChanges(view, now);
}
