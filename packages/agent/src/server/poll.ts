import { BonafideError } from "@bonafide/errors";
import { Bundle as BundleService } from "@bonafide/proto/spire/api/server/bundle/v1/bundle_pb";
import {
  Entry as EntryService,
  type SyncAuthorizedEntriesRequest,
  SyncAuthorizedEntriesRequestSchema,
} from "@bonafide/proto/spire/api/server/entry/v1/entry_pb";
import { RpcError } from "@bonafide/rpc";
import type { TrustDomain } from "@bonafide/spiffe";
import { create } from "@bufbuild/protobuf";
import type { TrustBundle } from "../core/bundle.ts";
import { type EntryRevision, planEntrySync } from "../core/entry-diff.ts";
import type { EntryChanges } from "../core/entry-index.ts";
import type { Entry } from "../core/entry.ts";
import { AGENT_ERRORS } from "../errors.ts";
import { ENTRIES_MAX, SERVER_CALL_MS } from "../limits.ts";
import type { Picture, PictureUpdate } from "../picture/picture.ts";
import { parseBundle } from "../wire/parse-bundle.ts";
import { parseEntry } from "../wire/parse-entry.ts";
import type { ServerLink } from "./server-link.ts";

/** What an agent reads of an entry; the revision is what changes are told by, so it is always among it. */
const MASK = {
  spiffeId: true,
  parentId: true,
  selectors: true,
  federatesWith: true,
  admin: true,
  downstream: true,
  expiresAt: true,
  revisionNumber: true,
  storeSvid: true,
  hint: true,
  createdAt: true,
  additionalAttributes: true,
};

/** Ids asked for in one request. */
const IDS_PER_REQUEST = 500;

interface PollOptions {
  readonly signal: AbortSignal;
}

/**
 * One round with a server that does not push: bundle, entries, and the bundles that the entries federate with.
 *
 * @throws RpcError, SERVER_ANSWER_INVALID
 */
export async function pollPicture(
  link: ServerLink,
  picture: Picture,
  options: PollOptions,
): Promise<PictureUpdate> {
  const { trustDomain } = picture;
  const bundles = link.client(BundleService);
  const bundle = parseBundle(await bundles.getBundle({}, options), trustDomain);
  if (bundle.x509.authorities.length === 0) throw invalid("a bundle without authorities");
  const changes = await pollEntries(link, picture, options);
  const domains = new Set(changes.upserts.flatMap(({ federatesWith }) => federatesWith));
  const gone = new Set(changes.removedIds);
  const replaced = new Set(changes.upserts.map(({ id }) => id));
  for (const entry of picture.entries.entries()) {
    if (gone.has(entry.id) || replaced.has(entry.id)) continue;
    for (const name of entry.federatesWith) domains.add(name);
  }
  const federated: TrustBundle[] = [];
  for (const name of domains) {
    const found = await fetchFederated(link, name, options);
    if (found !== undefined) federated.push(found);
  }
  return {
    bundle,
    entries: { kind: "changes", ...changes },
    federated: { kind: "whole", bundles: federated },
  };
}

async function fetchFederated(
  link: ServerLink,
  trustDomain: string,
  options: PollOptions,
): Promise<TrustBundle | undefined> {
  try {
    const bundle = await link.client(BundleService).getFederatedBundle({ trustDomain }, options);
    return parseBundle(bundle);
  } catch (error) {
    // A relationship whose bundle was not fetched yet must not cost the node everything else.
    if (error instanceof RpcError && error.status === "not_found") return undefined;
    throw error;
  }
}

/** The two-step list of SyncAuthorizedEntries: everything at once up to 500 entries, else revisions and then the rest. */
async function pollEntries(
  link: ServerLink,
  picture: Picture,
  options: PollOptions,
): Promise<EntryChanges> {
  const queue = new RequestQueue();
  queue.push(create(SyncAuthorizedEntriesRequestSchema, { outputMask: MASK }));
  const listed: EntryRevision[] = [];
  const whole: Entry[] = [];
  let asked: string[] = [];
  let plan: ReturnType<typeof planEntrySync> | undefined;
  try {
    const responses = link
      .client(EntryService)
      .syncAuthorizedEntries(queue, { ...options, timeoutMs: SERVER_CALL_MS });
    for await (const response of responses) {
      parseAll(response.entries, picture.trustDomain, whole);
      if (plan === undefined && response.entryRevisions.length === 0 && !response.more) {
        if (listed.length > 0) throw invalid("entries among revisions");
        return changesToWhole(picture, whole);
      }
      if (plan === undefined) {
        for (const { id, revisionNumber, createdAt } of response.entryRevisions) {
          listed.push({ id, revision: revisionNumber, createdAt });
        }
        if (listed.length > ENTRIES_MAX) throw invalid(`more than ${ENTRIES_MAX} entries`);
        if (response.more) continue;
        plan = planEntrySync(picture.entries.entries(), listed);
        asked = [...plan.fetchIds];
      } else if (response.more) continue;
      const ids = asked.splice(0, IDS_PER_REQUEST);
      if (ids.length === 0) return { upserts: whole, removedIds: plan.removedIds };
      queue.push(create(SyncAuthorizedEntriesRequestSchema, { ids }));
    }
    // The server ends the stream after a set that fits one message; an empty set may be no message at all.
    if (plan === undefined && listed.length === 0) return changesToWhole(picture, whole);
    throw invalid("an end in the middle of the entries");
  } finally {
    queue.end();
  }
}

function changesToWhole(picture: Picture, whole: readonly Entry[]): EntryChanges {
  const listed = whole.map(({ id, revision, createdAt }) => ({ id, revision, createdAt }));
  const { fetchIds, removedIds } = planEntrySync(picture.entries.entries(), listed);
  const changed = new Set(fetchIds);
  return { upserts: whole.filter(({ id }) => changed.has(id)), removedIds };
}

function parseAll(
  entries: readonly Parameters<typeof parseEntry>[0][],
  trustDomain: TrustDomain,
  into: Entry[],
): void {
  for (const entry of entries) {
    // SPIRE sends the alias of a join token too, whose ID is no workload's; nobody can match it here.
    if (entry.spiffeId?.path.startsWith("/spire/") === true) continue;
    into.push(parseEntry(entry, trustDomain));
  }
  if (into.length > ENTRIES_MAX) throw invalid(`more than ${ENTRIES_MAX} entries`);
}

/** Requests of a stream, each written after the answer before it. */
class RequestQueue implements AsyncIterable<SyncAuthorizedEntriesRequest> {
  readonly #queued: SyncAuthorizedEntriesRequest[] = [];
  #wake: (() => void) | undefined;
  #ended = false;

  push(request: SyncAuthorizedEntriesRequest): void {
    this.#queued.push(request);
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<SyncAuthorizedEntriesRequest, void, void> {
    for (;;) {
      const next = this.#queued.shift();
      if (next !== undefined) {
        yield next;
        continue;
      }
      if (this.#ended) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

function invalid(what: string): BonafideError {
  return new BonafideError(AGENT_ERRORS, "SERVER_ANSWER_INVALID", `the server sent ${what}`);
}
