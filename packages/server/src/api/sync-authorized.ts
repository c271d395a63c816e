import { BonafideError } from "@bonafide/errors";
import {
  EntryRevisionSchema,
  type SyncAuthorizedEntriesRequest,
  type SyncAuthorizedEntriesResponse,
  SyncAuthorizedEntriesResponseSchema,
} from "@bonafide/proto/spire/api/server/entry/v1/entry_pb";
import type { EntryMask } from "@bonafide/proto/spire/api/types/entry_pb";
import type { CallContext } from "@bonafide/rpc";
import { create } from "@bufbuild/protobuf";
import { SERVER_ERRORS } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { nextTurn } from "../next-turn.ts";
import type { ServerPeer } from "../port/server-peer.ts";
import type { EntitledEntry } from "./entitlements.ts";
import type { ServiceDeps } from "./services.ts";
import { toWireEntry } from "./wire-entry.ts";
import { eachWithin } from "./within.ts";

/** What a page of entries costs of a node's rate, where a call costs 1: 10,000 entries a second, after 50,000 at once. */
const PAGE_UNITS = 0.5;

/**
 * SyncAuthorizedEntries, as SPIRE's agents poll it.
 *
 * Up to a page of entries goes out whole, in one message that ends the stream. More go out as revisions, a page a
 * message, and then whatever ids the agent asks for, as of the state at the beginning of the call. These
 * pages are paced by the node's rate and not refused: an agent with many entries has to ask for all of them.
 */
export async function* syncAuthorizedEntries(
  deps: ServiceDeps,
  requests: AsyncIterable<SyncAuthorizedEntriesRequest>,
  { peer, signal }: Pick<CallContext<ServerPeer>, "peer" | "signal">,
): AsyncGenerator<SyncAuthorizedEntriesResponse, void, void> {
  const { access, entitlements, freshness, nodeRate, soft } = deps;
  const agent = access.agent(peer);
  nodeRate.take(agent.peer.id);
  freshness.assertFresh();
  soft.saw(agent.peer);
  const { entries } = entitlements.of(agent.peer.id);
  let mask: EntryMask | undefined;
  let isFirst = true;
  for await (const { outputMask, ids } of eachWithin(deps.clock, LIMITS.syncMs, requests)) {
    if (!isFirst) {
      for await (const page of pagesOf(pick(entries, ids), mask)) {
        if (!(await nodeRate.pace(agent.peer.id, PAGE_UNITS, signal))) return;
        // A stream may last: who was banned since it began gets no more.
        access.agent(peer);
        yield page;
      }
      continue;
    }
    isFirst = false;
    if (ids.length > 0) throw invalid("the first message has ids");
    if (outputMask !== undefined && !outputMask.revisionNumber) {
      throw invalid("the mask leaves revision_number out");
    }
    mask = outputMask;
    if (entries.size <= LIMITS.syncPage) {
      yield* pagesOf([...entries.values()], mask);
      return;
    }
    yield* revisionsOf([...entries.values()]);
  }
}

/** Entries that the node may have, in the order asked for; ids of others are passed over. */
function pick(
  entries: ReadonlyMap<string, EntitledEntry>,
  ids: readonly string[],
): readonly EntitledEntry[] {
  return [...new Set(ids)].flatMap((id) => entries.get(id) ?? []);
}

async function* pagesOf(
  entries: readonly EntitledEntry[],
  mask: EntryMask | undefined,
): AsyncGenerator<SyncAuthorizedEntriesResponse, void, void> {
  for (let from = 0; from === 0 || from < entries.length; from += LIMITS.syncPage) {
    if (from > 0) await nextTurn();
    const page = entries.slice(from, from + LIMITS.syncPage);
    yield create(SyncAuthorizedEntriesResponseSchema, {
      entries: page.map(({ entry, revision }) => toWireEntry(entry, revision, mask)),
      more: from + LIMITS.syncPage < entries.length,
    });
  }
}

async function* revisionsOf(
  entries: readonly EntitledEntry[],
): AsyncGenerator<SyncAuthorizedEntriesResponse, void, void> {
  for (let from = 0; from < entries.length; from += LIMITS.syncPage) {
    if (from > 0) await nextTurn();
    const page = entries.slice(from, from + LIMITS.syncPage);
    yield create(SyncAuthorizedEntriesResponseSchema, {
      entryRevisions: page.map(({ entry, revision }) =>
        create(EntryRevisionSchema, {
          id: entry.id,
          revisionNumber: BigInt(revision),
          createdAt: BigInt(entry.createdAtSeconds),
        }),
      ),
      more: from + LIMITS.syncPage < entries.length,
    });
  }
}

function invalid(message: string): BonafideError {
  return new BonafideError(SERVER_ERRORS, "REQUEST_INVALID", message);
}
