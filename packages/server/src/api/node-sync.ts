import { createHash } from "node:crypto";
import { BonafideError } from "@bonafide/errors";
import { comparePositions, equalBytes, type StateName, wireNumber } from "@bonafide/ledger";
import type { Name } from "@bonafide/proto/bonafide/ledger/v1/meta_pb";
import {
  type NodeSync,
  UpdateKind,
  type WatchRequest,
  type WatchResponse,
  WatchResponseSchema,
} from "@bonafide/proto/bonafide/sync/v1/sync_pb";
import type { Bundle } from "@bonafide/proto/spire/api/types/bundle_pb";
import type { CallContext, Handlers } from "@bonafide/rpc";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type Picture, pictureDelta } from "../core/sync-plan.ts";
import { SERVER_ERRORS } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { nextTurn } from "../next-turn.ts";
import type { ServerPeer } from "../port/server-peer.ts";
import type { Entitlement } from "./entitlements.ts";
import type { ServiceDeps, ServiceOptions } from "./services.ts";
import type { WatchHub } from "./watch-hub.ts";
import { toWireEntry } from "./wire-entry.ts";
import { toWireBundle, toWireForeignBundle } from "./wire-svid.ts";

/** How long an agent that knows more than this server waits for it to catch up, ms. */
const CATCH_UP_MS = 2000;
/** Names of removed entries in one message. */
const REMOVED_PAGE = 5000;

/** All that a node is to know at one state. */
interface Snapshot {
  readonly state: StateName;
  readonly entitlement: Entitlement;
  readonly picture: Picture;
}

/** bonafide.sync.v1.NodeSync: tells a node what it is entitled to, as it changes. */
export function nodeSyncHandlers(
  deps: ServiceDeps,
  options: ServiceOptions,
  hub: WatchHub,
): Handlers<typeof NodeSync, ServerPeer> {
  return { watch: (request, context) => watch(deps, options, hub, request, context) };
}

async function* watch(
  deps: ServiceDeps,
  options: ServiceOptions,
  hub: WatchHub,
  request: WatchRequest,
  { peer, connection, signal: gone }: CallContext<ServerPeer>,
): AsyncGenerator<WatchResponse, void, void> {
  const { access, bundles, clock, freshness, nodeRate, random, soft } = deps;
  const agent = access.agent(peer);
  const nodeId = agent.peer.id;
  nodeRate.take(nodeId);
  freshness.assertFresh();
  const { agentVersion } = request;
  const isVersion = agentVersion !== "" && agentVersion.length <= LIMITS.agentVersionChars;
  soft.saw(agent.peer, isVersion ? agentVersion : undefined);
  const signal = AbortSignal.any([gone, deps.closing]);
  await caughtUp(deps, request.held, signal);
  // The certificate's end is on the wall clock, and the stream's length on the monotonic one.
  const lastsMs = Math.min(
    options.watchMs * (1 - random.fraction() / 10),
    agent.peer.notAfter - clock.now(),
  );
  const endsAtMs = clock.monotonicMs() + lastsMs;
  const taintedAtStart = isTainted(deps, agent.peer.rootId);
  const watcher = hub.add(nodeId, connection);
  try {
    let told = look(deps, nodeId);
    watcher.parents = told.entitlement.parents;
    yield* isHeld(request, told)
      ? chunks(deps, UpdateKind.UNCHANGED, told, { entries: [], removed: [] })
      : chunks(deps, UpdateKind.FULL, told, {
          entries: [...told.entitlement.entries.keys()],
          removed: [],
          bundle: toWireBundle(options.trustDomain, bundles.own()),
          federated: [...told.picture.federated.keys()],
        });
    for (;;) {
      const waitMs = Math.min(
        endsAtMs - clock.monotonicMs(),
        told.entitlement.until - clock.now(),
        freshness.remainingMs(),
      );
      await hub.wait(watcher, Math.max(waitMs, 1), signal);
      if (signal.aborted || hub.isOver(watcher) || clock.monotonicMs() >= endsAtMs) return;
      access.agent(peer);
      freshness.assertFresh();
      const next = look(deps, nodeId);
      const delta = pictureDelta(told.picture, next.picture);
      told = next;
      watcher.parents = told.entitlement.parents;
      if (delta !== undefined) {
        yield* chunks(deps, UpdateKind.DELTA, told, {
          entries: delta.putEntries,
          removed: delta.removedEntries,
          ...(delta.hasNewBundle
            ? { bundle: toWireBundle(options.trustDomain, bundles.own()) }
            : {}),
          federated: delta.putFederated,
          removedDomains: delta.removedFederated,
        });
      }
      // It knows of the taint now; it has to come back with another certificate.
      if (!taintedAtStart && isTainted(deps, agent.peer.rootId)) return;
    }
  } finally {
    hub.remove(watcher);
  }
}

/** What follows from an entitlement alone: as long as nothing changes, asking again costs no look at the entries. */
interface Looked {
  readonly entries: ReadonlyMap<string, number>;
  readonly federated: ReadonlyMap<string, number>;
}

/** By entitlement, which is another one at each state of the registry. */
const looked = new WeakMap<Entitlement, Looked>();
const digests = new WeakMap<ReadonlyMap<string, number>, Uint8Array>();

/** Everything of one node at the newest state, taken in one turn. */
function look(deps: ServiceDeps, nodeId: string): Snapshot {
  const { registry, entitlements, bundles } = deps;
  const entitlement = entitlements.of(nodeId);
  const known = looked.get(entitlement) ?? lookAt(deps, entitlement);
  looked.set(entitlement, known);
  const picture = { ...known, bundleNumber: bundles.own().number };
  return { state: registry.head, entitlement, picture };
}

function lookAt({ registry }: ServiceDeps, entitlement: Entitlement): Looked {
  const entries = new Map<string, number>();
  const federated = new Map<string, number>();
  for (const [id, { entry, revision }] of entitlement.entries) {
    entries.set(id, revision);
    for (const trustDomain of entry.federatesWith) {
      const known = registry.find("bundle", trustDomain);
      if (known !== undefined) federated.set(trustDomain, registry.numberOf(known));
    }
  }
  return { entries, federated };
}

interface Contents {
  readonly entries: readonly string[];
  readonly removed: readonly string[];
  readonly bundle?: Bundle;
  readonly federated?: readonly string[];
  readonly removedDomains?: readonly string[];
}

/** Names of trust domains, as many together as their bundles go into one message. */
function foreignPages({ registry }: ServiceDeps, names: readonly string[]): readonly string[][] {
  const pages: string[][] = [];
  let bytes = 0;
  for (const name of names) {
    // A document is longer than what is sent of it.
    const length = registry.find("bundle", name)?.object.jwks.length ?? 0;
    const page = pages.at(-1);
    if (page !== undefined && bytes + length <= LIMITS.foreignBytesPerMessage) {
      page.push(name);
      bytes += length;
    } else {
      pages.push([name]);
      bytes = length;
    }
  }
  return pages;
}

/** One update in messages of bounded size; the first has our own bundle, the last the digest. */
async function* chunks(
  deps: ServiceDeps,
  kind: UpdateKind,
  { state, entitlement, picture }: Snapshot,
  { entries, removed, bundle, federated = [], removedDomains = [] }: Contents,
): AsyncGenerator<WatchResponse, void, void> {
  const { bundles, clock } = deps;
  const { epoch, n, root } = state;
  const foreign = foreignPages(deps, federated);
  const messages = Math.max(
    1,
    foreign.length,
    Math.ceil(entries.length / LIMITS.syncPage),
    Math.ceil(removed.length / REMOVED_PAGE),
  );
  for (let i = 0; i < messages; i++) {
    if (i > 0) await nextTurn();
    const page = entries.slice(i * LIMITS.syncPage, (i + 1) * LIMITS.syncPage);
    const isLast = i === messages - 1;
    const message: MessageInitShape<typeof WatchResponseSchema> = {
      kind,
      state: { epoch, n: BigInt(n), root },
      revision: BigInt(wireNumber(state)),
      serverTimeMs: BigInt(clock.now()),
      entries: page.flatMap((id) => {
        const entitled = entitlement.entries.get(id);
        return entitled === undefined ? [] : [toWireEntry(entitled.entry, entitled.revision)];
      }),
      removedEntryIds: removed.slice(i * REMOVED_PAGE, (i + 1) * REMOVED_PAGE),
      more: !isLast,
      federatedBundles: (foreign[i] ?? []).flatMap((name) => {
        const found = bundles.foreign(name);
        return found === undefined ? [] : [toWireForeignBundle(found)];
      }),
      ...(i === 0
        ? {
            ...(bundle === undefined ? {} : { bundle }),
            removedTrustDomains: [...removedDomains],
          }
        : {}),
      ...(isLast ? { entriesDigest: digestOnce(picture.entries) } : {}),
    };
    yield create(WatchResponseSchema, message);
  }
}

/** As {@link digestOf}, worked out once for each set. */
function digestOnce(entries: ReadonlyMap<string, number>): Uint8Array {
  const digest = digests.get(entries) ?? digestOf(entries);
  digests.set(entries, digest);
  return digest;
}

/** SHA-256 over the entries in the order of their ids: u32 length, id, i64 revision of each. */
export function digestOf(entries: ReadonlyMap<string, number>): Uint8Array {
  const hash = createHash("sha256");
  const named = [...entries].map(([id, revision]) => ({ name: Buffer.from(id), revision }));
  named.sort((a, b) => Buffer.compare(a.name, b.name));
  for (const { name, revision } of named) {
    const bytes = Buffer.alloc(4 + name.length + 8);
    bytes.writeUInt32BE(name.length, 0);
    name.copy(bytes, 4);
    bytes.writeBigInt64BE(BigInt(revision), 4 + name.length);
    hash.update(bytes);
  }
  return new Uint8Array(hash.digest());
}

/** Whether the agent holds exactly this already. Federated bundles are sent anew with anything else. */
function isHeld(request: WatchRequest, { picture }: Snapshot): boolean {
  return (
    request.held !== undefined &&
    request.bundleSequenceNumber === BigInt(picture.bundleNumber) &&
    picture.federated.size === 0 &&
    equalBytes(request.entriesDigest, digestOnce(picture.entries))
  );
}

/** Waits until this server is no longer behind the agent. @throws STATE_AHEAD */
async function caughtUp(
  deps: ServiceDeps,
  held: Name | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (held === undefined) return;
  const { registry, clock } = deps;
  const wanted = { epoch: held.epoch, n: Number(held.n) };
  if (comparePositions(wanted, registry.head) <= 0) return;
  const adopted = new AbortController();
  const stop = registry.onAdopted(() => {
    if (comparePositions(wanted, registry.head) <= 0) adopted.abort();
  });
  try {
    await clock.sleep(CATCH_UP_MS, { signal: AbortSignal.any([signal, adopted.signal]) });
  } catch {
    if (adopted.signal.aborted) return;
  } finally {
    stop();
  }
  throw new BonafideError(
    SERVER_ERRORS,
    "STATE_AHEAD",
    "the agent holds a newer state than this server has seen",
    { retryAfterMs: CATCH_UP_MS },
  );
}

function isTainted({ registry }: ServiceDeps, rootId: string): boolean {
  return registry.find("authority", `x509/${rootId}`)?.object.state === "tainted";
}
