import { BonafideError } from "@bonafide/errors";
import { NodeSync, UpdateKind, type WatchResponse } from "@bonafide/proto/bonafide/sync/v1/sync_pb";
import { isTrustDomain, type TrustDomain } from "@bonafide/spiffe";
import type { TrustBundle } from "../core/bundle.ts";
import type { Entry } from "../core/entry.ts";
import { AGENT_ERRORS } from "../errors.ts";
import { ENTRIES_MAX } from "../limits.ts";
import type { Picture, PictureUpdate } from "../picture/picture.ts";
import { entriesDigest } from "../wire/entries-digest.ts";
import { parseBundle } from "../wire/parse-bundle.ts";
import { parseEntry } from "../wire/parse-entry.ts";
import type { ServerLink } from "./server-link.ts";

/** One update of a push stream, whole. */
export interface PushedUpdate {
  readonly update: PictureUpdate;
  /** The server's clock when it made the last chunk, epoch ms. */
  readonly serverTime: number;
  /** Digest of the entry set after it; undefined when the server sent none. */
  readonly digest: Uint8Array | undefined;
}

interface Gathering {
  kind: UpdateKind;
  readonly entries: Entry[];
  readonly removedIds: string[];
  readonly federated: TrustBundle[];
  readonly removedDomains: TrustDomain[];
  bundle: TrustBundle | undefined;
}

/**
 * Watches this node's picture on a server that pushes.
 *
 * @param claim.digest  False after a digest did not agree: the server then sends everything.
 * @throws RpcError (UNIMPLEMENTED: the server does not push), SERVER_ANSWER_INVALID
 */
export async function* watchPicture(
  link: ServerLink,
  picture: Picture,
  claim: { readonly digest: boolean; readonly agentVersion: string },
  options: { readonly signal: AbortSignal },
): AsyncGenerator<PushedUpdate, void, void> {
  const { state, bundle, trustDomain, entries } = picture;
  const responses = link.client(NodeSync).watch(
    {
      ...(state === undefined ? {} : { held: state }),
      // A folder from before JWT holds a bundle of the right number without JWT keys: then everything is asked for.
      entriesDigest:
        claim.digest && bundle.jwt.keys.size > 0
          ? entriesDigest(entries.entries())
          : new Uint8Array(),
      bundleSequenceNumber: bundle.sequence,
      agentVersion: claim.agentVersion,
    },
    { signal: options.signal },
  );
  let gathering: Gathering | undefined;
  for await (const response of responses) {
    gathering ??= begin(response.kind);
    if (response.kind !== gathering.kind) throw invalid("chunks of two updates");
    gather(gathering, response, trustDomain);
    if (response.more) continue;
    yield finish(gathering, response);
    gathering = undefined;
  }
  if (gathering !== undefined) throw invalid("an update without its end");
}

function begin(kind: UpdateKind): Gathering {
  return {
    kind,
    entries: [],
    removedIds: [],
    federated: [],
    removedDomains: [],
    bundle: undefined,
  };
}

function gather(into: Gathering, response: WatchResponse, trustDomain: TrustDomain): void {
  for (const entry of response.entries) into.entries.push(parseEntry(entry, trustDomain));
  if (into.entries.length > ENTRIES_MAX) throw invalid(`more than ${ENTRIES_MAX} entries`);
  into.removedIds.push(...response.removedEntryIds);
  if (response.bundle !== undefined) into.bundle = parseBundle(response.bundle, trustDomain);
  for (const bundle of response.federatedBundles) into.federated.push(parseBundle(bundle));
  into.removedDomains.push(...response.removedTrustDomains.filter((name) => isTrustDomain(name)));
}

function finish(gathered: Gathering, response: WatchResponse): PushedUpdate {
  const { bundle, state } = { bundle: gathered.bundle, state: response.state };
  const common = {
    ...(bundle === undefined ? {} : { bundle }),
    ...(state === undefined ? {} : { state: { epoch: state.epoch, n: state.n, root: state.root } }),
    revision: response.revision,
  };
  const { entriesDigest: digest } = response;
  const rest = {
    serverTime: Number(response.serverTimeMs),
    digest: digest.length === 0 && gathered.kind === UpdateKind.UNCHANGED ? undefined : digest,
  };
  switch (gathered.kind) {
    case UpdateKind.UNCHANGED:
      return { update: { ...common, entries: { kind: "same" } }, ...rest };
    case UpdateKind.FULL:
      if (bundle === undefined || bundle.x509.authorities.length === 0) {
        throw invalid("a whole picture without a bundle");
      }
      return {
        update: {
          ...common,
          entries: { kind: "whole", entries: gathered.entries },
          federated: { kind: "whole", bundles: gathered.federated },
        },
        ...rest,
      };
    case UpdateKind.DELTA:
      return {
        update: {
          ...common,
          entries: {
            kind: "changes",
            upserts: gathered.entries,
            removedIds: gathered.removedIds,
          },
          federated: {
            kind: "changes",
            bundles: gathered.federated,
            removed: gathered.removedDomains,
          },
        },
        ...rest,
      };
    default:
      throw invalid(`an update of kind ${gathered.kind}`);
  }
}

function invalid(what: string): BonafideError {
  return new BonafideError(AGENT_ERRORS, "SERVER_ANSWER_INVALID", `the server sent ${what}`);
}
