import { randomUUID } from "node:crypto";
import { BonafideError, isBonafideError } from "@bonafide/errors";
import type { EntryObject } from "@bonafide/ledger";
import { selectorText } from "@bonafide/ledger";
import type { EntryFilter } from "@bonafide/plugin-api";
import {
  type Entries,
  type ListEntriesRequest,
  type OwnedEntry,
  OwnedEntrySchema,
} from "@bonafide/proto/bonafide/admin/v1/entries_pb";
import type { Handlers } from "@bonafide/rpc";
import type { TrustDomain } from "@bonafide/spiffe";
import { create } from "@bufbuild/protobuf";
import { checkEntry, checkId, checkSelectors } from "../core/check-entry.ts";
import { entryWarnings } from "../core/entry-warnings.ts";
import { nextPageToken, pageRequest } from "../core/page.ts";
import { proposeEntry } from "../core/propose-entry.ts";
import { SERVER_ERRORS } from "../errors.ts";
import type { Known } from "../lane/registry-view.ts";
import type { ServerPeer } from "../port/server-peer.ts";
import { actorOf } from "./access.ts";
import { previewOf } from "./preview.ts";
import type { ServiceDeps, ServiceOptions } from "./services.ts";
import { entryInput, entryObject, toWireEntry } from "./wire-entry.ts";

const PAGE_MAX = 500;
/** Rows read for one page when a filter has to look at them one by one. */
const SCANNED_MAX = 10_000;

/** bonafide.admin.v1.Entries: entries with what SPIRE's wire has no place for, their owner and labels. */
export function adminEntriesHandlers(
  deps: ServiceDeps,
  options: ServiceOptions,
): Handlers<typeof Entries, ServerPeer> {
  const { access, clock, lane, registry, store } = deps;
  const { trustDomain } = options;

  return {
    async createEntry({ entry: owned, dryRun }, { peer }) {
      const writer = access.administrator(peer, "write-entry");
      if (owned?.entry === undefined) throw invalid("the entry is missing");
      const { owner, labels } = owned;
      const checked = checkEntry(entryInput(owned.entry, { owner, labels }), trustDomain);
      const id = checked.id === "" ? randomUUID() : checked.id;
      const entry = entryObject(checked, id, Math.floor(clock.now() / 1000));
      const warnings = [...entryWarnings(registry, entry, trustDomain)];
      const decide = proposeEntry(entry, writer);
      try {
        if (dryRun) {
          decide(registry);
          const preview = previewOf(deps, options, { kind: "create", entry });
          return { entry: toOwned(entry, 0), warnings, preview };
        }
        const meta = { actor: actorOf(peer), cause: "CreateEntry" };
        const { changes } = await lane.submit(decide, meta);
        return { entry: toOwned(entry, changes[0]?.number ?? 0), warnings };
      } catch (error) {
        if (!isBonafideError(error, "ENTRY_EXISTS")) throw error;
        const known = registry.entryLike(entry) ?? registry.find("entry", id);
        throw new BonafideError(SERVER_ERRORS, "ENTRY_EXISTS", error.message, {
          cause: error,
          details: { entry: known?.object.id ?? "" },
        });
      }
    },

    getEntry({ id }) {
      if (id === "") throw invalid("the entry id is missing");
      const known = registry.find("entry", id);
      if (known === undefined) {
        throw new BonafideError(SERVER_ERRORS, "ENTRY_NOT_FOUND", "no such entry");
      }
      return { entry: toOwnedKnown(deps, known) };
    },

    previewDelete({ id }) {
      const known = registry.find("entry", id);
      if (known === undefined) {
        throw new BonafideError(SERVER_ERRORS, "ENTRY_NOT_FOUND", "no such entry");
      }
      const preview = previewOf(deps, options, { kind: "delete", entry: known.object });
      return { entry: toOwnedKnown(deps, known), preview };
    },

    async listEntries(request) {
      const wanted = Math.min(request.pageSize > 0 ? request.pageSize : PAGE_MAX, PAGE_MAX);
      const filter = storeFilter(request, trustDomain);
      const page = pageRequest(wanted, request.pageToken, "owned");
      const { after } = page;
      const found: OwnedEntry[] = [];
      let last = after;
      for (let scanned = 0; ;) {
        const rows = await store.entries.list(filter, { afterFirstN: last, limit: PAGE_MAX });
        for (const row of rows) {
          last = row.firstN;
          if (isOwnedAs(row.object, request)) {
            found.push(toOwned(row.object, registry.numberOf(row)));
          }
          if (found.length === wanted) break;
        }
        scanned += rows.length;
        const isEnd = rows.length < PAGE_MAX && found.length < wanted;
        if (isEnd) return { entries: found, nextPageToken: "" };
        if (found.length === wanted || scanned >= SCANNED_MAX) {
          return { entries: found, nextPageToken: nextPageToken(page, last) };
        }
      }
    },
  };
}

function toOwnedKnown(deps: ServiceDeps, known: Known<EntryObject>): OwnedEntry {
  return toOwned(known.object, deps.registry.numberOf(known));
}

function toOwned(entry: EntryObject, revision: number): OwnedEntry {
  const { owner, labels } = entry;
  return create(OwnedEntrySchema, { entry: toWireEntry(entry, revision), owner, labels });
}

/** @throws REQUEST_INVALID */
function storeFilter(request: ListEntriesRequest, own: TrustDomain): EntryFilter {
  const { bySpiffeId, byParentId, bySelectors } = request;
  return {
    ...(bySpiffeId === undefined
      ? {}
      : { spiffeId: checkId(bySpiffeId, own, "member", "by_spiffe_id") }),
    ...(byParentId === undefined
      ? {}
      : { parentId: checkId(byParentId, own, "member", "by_parent_id") }),
    ...(bySelectors.length === 0
      ? {}
      : {
          selectors: {
            match: "superset",
            words: checkSelectors(bySelectors).map(selectorText),
          },
        }),
  };
}

function isOwnedAs(entry: EntryObject, request: ListEntriesRequest): boolean {
  if (request.byOwner !== undefined && entry.owner !== request.byOwner) return false;
  return Object.entries(request.byLabels).every(([name, value]) => entry.labels[name] === value);
}

function invalid(message: string): BonafideError {
  return new BonafideError(SERVER_ERRORS, "REQUEST_INVALID", message);
}
