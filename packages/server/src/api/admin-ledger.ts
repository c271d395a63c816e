import { BonafideError } from "@bonafide/errors";
import {
  decodeLeaf,
  equalBytes,
  kindName,
  OBJECT_KINDS,
  objectKey,
  type StateName,
  toHex,
  wireNumber,
} from "@bonafide/ledger";
import { slept } from "@bonafide/lifetime";
import type { StoredLeaf } from "@bonafide/plugin-api";
import type {
  ExportResponseSchema,
  Ledger,
  LogRequest,
  LogResponse,
  VerifyResponseSchema,
} from "@bonafide/proto/bonafide/admin/v1/ledger_pb";
import type { Handlers } from "@bonafide/rpc";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { SERVER_ERRORS } from "../errors.ts";
import { exportStore, verifyStore } from "../lane/inspect-store.ts";
import type { OpenedLedger } from "../memory/opened-ledger.ts";
import { nextTurn } from "../next-turn.ts";
import type { ServerPeer } from "../port/server-peer.ts";
import { actorOf } from "./access.ts";
import type { ServiceDeps, ServiceOptions } from "./services.ts";
import { toWireLeaf } from "./wire-leaf.ts";

const PAGE = 500;
/** Characters of an export that travel in one message. */
const EXPORT_CHARACTERS = 65_536;
/** How long a follower waits before it looks by itself, ms. */
const FOLLOW_MS = 5000;

/** bonafide.admin.v1.Ledger: the ledger, to be read and verified, on the private socket. */
export function adminLedgerHandlers(
  deps: ServiceDeps,
  options: ServiceOptions,
  ledger: OpenedLedger,
): Handlers<typeof Ledger, ServerPeer> {
  const { registry } = deps;
  return {
    log: (request, { signal }) => log(deps, request, AbortSignal.any([signal, deps.closing])),

    verify: (_request, { signal }) => verify(deps, AbortSignal.any([signal, deps.closing])),

    export: (_request, { signal }) => exported(deps, AbortSignal.any([signal, deps.closing])),

    head() {
      const { ledgerId, openedIn } = registry.ledgerHead;
      const { standing } = ledger;
      const { head } = registry;
      return {
        head: toWireName(head),
        wireNumber: BigInt(wireNumber(head)),
        ledgerId: toHex(ledgerId),
        trustDomain: options.trustDomain,
        incarnation: { system: openedIn.system, timeline: openedIn.timeline },
        ...(standing.kind === "held"
          ? { heldReason: standing.reason, heldMessage: standing.message }
          : {}),
      };
    },

    async acceptRewind({ dropRemovals }, { peer }) {
      await ledger.acceptRewind(actorOf(peer), { dropRemovals });
      deps.log({ level: "warn", event: "ledger.rewind_accepted", fields: { dropRemovals } });
      // What the store holds may be without an authority of ours.
      await deps.authorities.settle();
      await deps.jwtAuthorities.settle();
      return { head: toWireName(registry.head) };
    },
  };
}

/** Verifies the whole store as it is now. */
async function verify(
  { registry, store }: ServiceDeps,
  signal: AbortSignal,
): Promise<MessageInitShape<typeof VerifyResponseSchema>> {
  const report = await verifyStore(store, { signal });
  const { epoch } = registry.head;
  const objects = OBJECT_KINDS.reduce((sum, kind) => sum + registry.count(kind), 0);
  return {
    findings: report.faults.map(({ code, n, text }) => ({ code, n: BigInt(n), text })),
    head: { epoch, n: BigInt(report.leaves), root: report.root },
    leaves: BigInt(report.leaves),
    bodies: BigInt(report.leaves),
    erased: BigInt(report.erasedParts),
    objects: BigInt(objects),
    rows: BigInt(objects),
  };
}

/** The export's lines, some at a time. */
async function* exported(
  { store }: ServiceDeps,
  signal: AbortSignal,
): AsyncGenerator<MessageInitShape<typeof ExportResponseSchema>, void, void> {
  let text = "";
  for await (const line of exportStore(store, { signal })) {
    text += `${line}\n`;
    if (text.length < EXPORT_CHARACTERS) continue;
    yield { text };
    text = "";
    await nextTurn();
  }
  if (text !== "") yield { text };
}

async function* log(
  deps: ServiceDeps,
  request: LogRequest,
  signal: AbortSignal,
): AsyncGenerator<LogResponse, void, void> {
  const { registry, store } = deps;
  const isWanted = filterOf(deps, request);
  const limit = Number(request.limit) || Infinity;
  let after = Number(request.afterN);
  let left = limit;
  if (request.newest) {
    if (after > 0) throw invalid("newest does not go with after_n");
    const { n } = registry.head;
    for (const stored of await newestOf(deps, n, Math.min(limit, PAGE), isWanted)) {
      yield toWireLeaf(stored);
    }
    after = n;
    left = request.follow ? Infinity : 0;
  }
  while (left > 0 && !signal.aborted) {
    const page = await store.ledger.leavesAfter(after, PAGE);
    for (const stored of page) {
      after = decodeLeaf(stored.leaf).n;
      if (!isWanted(stored)) continue;
      yield toWireLeaf(stored);
      if (--left === 0) return;
    }
    if (page.length > 0) await nextTurn();
    else if (!request.follow) return;
    else await grown(deps, after, signal);
  }
}

/** Whether a leaf is asked for. By its pseudonym, which removals have too. */
function filterOf(deps: ServiceDeps, request: LogRequest): (stored: StoredLeaf) => boolean {
  const { kind, naturalKey } = request;
  if (kind === 0 && naturalKey !== "") throw invalid("natural_key needs a kind");
  if (kind !== 0 && kindName(kind) === undefined) throw invalid("an unknown kind");
  const { keySecret } = deps.registry.ledgerHead;
  const key = naturalKey === "" ? undefined : objectKey(keySecret, kind, naturalKey);
  return ({ leaf: bytes }) => {
    const leaf = decodeLeaf(bytes);
    return (kind === 0 || leaf.kind === kind) && (key === undefined || equalBytes(leaf.key, key));
  };
}

/** The newest leaves that are wanted, oldest of them first. */
async function newestOf(
  deps: ServiceDeps,
  n: number,
  limit: number,
  isWanted: (stored: StoredLeaf) => boolean,
): Promise<readonly StoredLeaf[]> {
  const found: StoredLeaf[] = [];
  for (let to = n; to > 0 && found.length < limit; to = Math.max(0, to - PAGE)) {
    const from = Math.max(0, to - PAGE);
    const page: StoredLeaf[] = [];
    while (page.length < to - from) {
      const part = await deps.store.ledger.leavesAfter(from + page.length, to - from - page.length);
      if (part.length === 0) break;
      page.push(...part);
    }
    found.unshift(...page.filter(isWanted));
    await nextTurn();
  }
  return found.slice(-limit);
}

/** Resolves once the registry is past n, after a while, or when the signal aborts. */
async function grown(
  { registry, clock }: ServiceDeps,
  n: number,
  signal: AbortSignal,
): Promise<void> {
  if (registry.head.n > n) return;
  const more = new AbortController();
  const stop = registry.onAdopted(() => {
    more.abort();
  });
  try {
    const any = AbortSignal.any([signal, more.signal]);
    // Whichever it was, the caller looks.
    await slept(clock, FOLLOW_MS, any);
  } finally {
    stop();
  }
}

function toWireName({ epoch, n, root }: StateName): { epoch: number; n: bigint; root: Uint8Array } {
  return { epoch, n: BigInt(n), root };
}

function invalid(message: string): BonafideError {
  return new BonafideError(SERVER_ERRORS, "REQUEST_INVALID", message);
}
