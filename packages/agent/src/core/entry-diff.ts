import type { EntryChanges } from "./entry-index.ts";
import type { Entry } from "./entry.ts";

/** What a poll answer or a push stream says of one entry without sending it. */
export interface EntryRevision {
  readonly id: string;
  readonly revision: bigint;
  readonly createdAt: bigint;
}

/** Which entries must be fetched and which are gone. */
export interface EntrySyncPlan {
  readonly fetchIds: readonly string[];
  readonly removedIds: readonly string[];
}

/** Compares what is held with the server's list of revisions (SyncAuthorizedEntries over one page). */
export function planEntrySync(
  held: Iterable<EntryRevision>,
  listed: readonly EntryRevision[],
): EntrySyncPlan {
  const wanted = new Map(listed.map((revision) => [revision.id, revision]));
  const removedIds: string[] = [];
  for (const { id, revision, createdAt } of held) {
    const now = wanted.get(id);
    if (now === undefined) removedIds.push(id);
    // A deleted and recreated entry may carry an old revision under its old id.
    else if (now.revision === revision && now.createdAt === createdAt) wanted.delete(id);
  }
  return { fetchIds: [...wanted.keys()], removedIds };
}

/** The change from what is held to the whole set that a server sent. */
export function diffEntries(held: Iterable<Entry>, whole: readonly Entry[]): EntryChanges {
  const plan = planEntrySync(
    [...held].map(({ id, revision, createdAt }) => ({ id, revision, createdAt })),
    whole.map(({ id, revision, createdAt }) => ({ id, revision, createdAt })),
  );
  const fetch = new Set(plan.fetchIds);
  return { upserts: whole.filter(({ id }) => fetch.has(id)), removedIds: plan.removedIds };
}
