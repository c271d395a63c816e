import { randomUUID } from "node:crypto";
import { BonafideError, isBonafideError } from "@bonafide/errors";
import type { EntryFilter } from "@bonafide/plugin-api";
import {
  BatchCreateEntryResponse_ResultSchema as CreatedSchema,
  type BatchCreateEntryResponse_Result as Created,
  BatchDeleteEntryResponse_ResultSchema as DeletedSchema,
  BatchUpdateEntryResponse_ResultSchema as UpdatedSchema,
  type Entry,
  type ListEntriesRequest_Filter,
} from "@bonafide/proto/spire/api/server/entry/v1/entry_pb";
import type { Entry as WireEntry, EntryMask } from "@bonafide/proto/spire/api/types/entry_pb";
import type { Handlers } from "@bonafide/rpc";
import { parseTrustDomain, type TrustDomain } from "@bonafide/spiffe";
import { create } from "@bufbuild/protobuf";
import { checkEntry, checkId } from "../core/check-entry.ts";
import { nextPageToken, pageRequest } from "../core/page.ts";
import { proposeEntry, proposeEntryChange, proposeEntryRemoval } from "../core/propose-entry.ts";
import { SERVER_ERRORS } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { ServerPeer } from "../port/server-peer.ts";
import { actorOf } from "./access.ts";
import { allPages } from "./all-pages.ts";
import { eachItem } from "./each-item.ts";
import { itemFailed, itemOk } from "./item-status.ts";
import type { ServiceDeps, ServiceOptions } from "./services.ts";
import { syncAuthorizedEntries } from "./sync-authorized.ts";
import { mapSliced } from "./time-slices.ts";
import { matchWord, selectorMatch } from "./wire-agent.ts";
import { entryInput, entryObject, mergeInput, toWireEntry } from "./wire-entry.ts";

const NOBODY = { owner: "", labels: {} };

/** spire.api.server.entry.v1.Entry: who gets which identity. */
export function entryHandlers(
  deps: ServiceDeps,
  options: ServiceOptions,
): Partial<Handlers<typeof Entry, ServerPeer>> {
  const { access, clock, entitlements, freshness, lane, log, nodeRate, registry, soft, store } =
    deps;
  const { trustDomain } = options;

  async function createOne(
    wire: WireEntry,
    mask: EntryMask | undefined,
    peer: ServerPeer,
  ): Promise<Created> {
    const writer = access.administrator(peer, "write-entry");
    const checked = checkEntry(entryInput(wire, NOBODY), trustDomain);
    const id = checked.id === "" ? randomUUID() : checked.id;
    const entry = entryObject(checked, id, Math.floor(clock.now() / 1000));
    try {
      const { changes } = await lane.submit(proposeEntry(entry, writer), {
        actor: actorOf(peer),
        cause: "BatchCreateEntry",
      });
      const revision = changes[0]?.number ?? 0;
      return create(CreatedSchema, { status: itemOk(), entry: toWireEntry(entry, revision, mask) });
    } catch (error) {
      if (!isBonafideError(error, "ENTRY_EXISTS")) throw error;
      // Registrars count on getting the one that is there.
      const known = registry.entryLike(entry) ?? registry.find("entry", id);
      return create(CreatedSchema, {
        status: itemFailed(error),
        ...(known === undefined
          ? {}
          : { entry: toWireEntry(known.object, registry.numberOf(known), mask) }),
      });
    }
  }

  const items = { log, event: "entry.not_written", max: LIMITS.entriesPerCall };

  return {
    async batchCreateEntry({ entries, outputMask }, { peer }) {
      const results = await eachItem(
        entries,
        (entry) => createOne(entry, outputMask, peer),
        (_entry, error) => create(CreatedSchema, { status: itemFailed(error) }),
        items,
      );
      return { results };
    },

    async batchUpdateEntry({ entries, inputMask, outputMask }, { peer }) {
      const writer = access.administrator(peer, "write-entry");
      const results = await eachItem(
        entries,
        async (wire) => {
          if (wire.id === "") throw invalid("the entry id is missing");
          const input = entryInput(wire, NOBODY);
          const decide = proposeEntryChange(
            wire.id,
            (stored) => {
              const wanted = checkEntry(mergeInput(stored, input, inputMask), trustDomain);
              return entryObject(wanted, stored.id, stored.createdAtSeconds);
            },
            writer,
          );
          await lane.submit(decide, { actor: actorOf(peer), cause: "BatchUpdateEntry" });
          const known = registry.find("entry", wire.id);
          return create(UpdatedSchema, {
            status: itemOk(),
            ...(known === undefined
              ? {}
              : { entry: toWireEntry(known.object, registry.numberOf(known), outputMask) }),
          });
        },
        (_wire, error) => create(UpdatedSchema, { status: itemFailed(error) }),
        items,
      );
      return { results };
    },

    async batchDeleteEntry({ ids }, { peer }) {
      const writer = access.administrator(peer, "write-entry");
      const results = await eachItem(
        ids,
        async (id) => {
          if (id === "") throw invalid("the entry id is missing");
          const meta = { actor: actorOf(peer), cause: "BatchDeleteEntry" };
          await lane.submit(proposeEntryRemoval(id, writer), meta);
          return create(DeletedSchema, { status: itemOk(), id });
        },
        (id, error) => create(DeletedSchema, { status: itemFailed(error), id }),
        items,
      );
      return { results };
    },

    async countEntries({ filter }) {
      return { count: await store.entries.count(entryFilter(filter, trustDomain)) };
    },

    async listEntries({ filter, outputMask, pageSize, pageToken }) {
      const page = pageRequest(pageSize, pageToken, "entries");
      const wanted = entryFilter(filter, trustDomain);
      const rows = await allPages(page, (part) => store.entries.list(wanted, part));
      return {
        entries: await mapSliced(rows, (row) =>
          toWireEntry(row.object, registry.numberOf(row), outputMask),
        ),
        nextPageToken: nextPageToken(page, rows.at(-1)?.firstN),
      };
    },

    getEntry({ id, outputMask }) {
      if (id === "") throw invalid("the entry id is missing");
      const known = registry.find("entry", id);
      if (known === undefined) {
        throw new BonafideError(SERVER_ERRORS, "ENTRY_NOT_FOUND", "no such entry");
      }
      return toWireEntry(known.object, registry.numberOf(known), outputMask);
    },

    async getAuthorizedEntries({ outputMask }, { peer }) {
      const agent = access.agent(peer);
      nodeRate.take(agent.peer.id);
      freshness.assertFresh();
      soft.saw(agent.peer);
      const { entries } = entitlements.of(agent.peer.id);
      return {
        entries: await mapSliced(entries.values(), ({ entry, revision }) =>
          toWireEntry(entry, revision, outputMask),
        ),
      };
    },

    syncAuthorizedEntries: (requests, context) => syncAuthorizedEntries(deps, requests, context),
  };
}

/** @throws REQUEST_INVALID */
function entryFilter(
  filter: ListEntriesRequest_Filter | Omit<ListEntriesRequest_Filter, "$typeName"> | undefined,
  own: TrustDomain,
): EntryFilter {
  if (filter === undefined) return {};
  const { bySpiffeId, byParentId, bySelectors, byFederatesWith, byHint, byDownstream } = filter;
  if (byFederatesWith?.trustDomains.length === 0) {
    throw invalid("by_federates_with has no trust domain");
  }
  if ((byFederatesWith?.trustDomains.length ?? 0) > LIMITS.federatesWith) {
    throw invalid("by_federates_with has too many trust domains");
  }
  return {
    ...(bySpiffeId === undefined
      ? {}
      : { spiffeId: checkId(bySpiffeId, own, "workload", "by_spiffe_id") }),
    ...(byParentId === undefined
      ? {}
      : { parentId: checkId(byParentId, own, "member", "by_parent_id") }),
    ...(bySelectors === undefined ? {} : { selectors: selectorMatch(bySelectors) }),
    ...(byFederatesWith === undefined
      ? {}
      : {
          federatesWith: {
            match: matchWord(byFederatesWith.match),
            words: byFederatesWith.trustDomains.map(readTrustDomain),
          },
        }),
    ...(byHint === undefined ? {} : { hint: byHint }),
    ...(byDownstream === undefined ? {} : { downstream: byDownstream }),
  };
}

function readTrustDomain(name: string): TrustDomain {
  try {
    return parseTrustDomain(name);
  } catch (cause) {
    throw new BonafideError(SERVER_ERRORS, "REQUEST_INVALID", "not a trust domain", { cause });
  }
}

function invalid(message: string): BonafideError {
  return new BonafideError(SERVER_ERRORS, "REQUEST_INVALID", message);
}
