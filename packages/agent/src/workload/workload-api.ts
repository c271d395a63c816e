import { SpiffeWorkloadAPI } from "@bonafide/proto/workload_pb";
import { addService, type CallContext, type Encoded, type RpcServer } from "@bonafide/rpc";
import type { UnixConnection } from "@bonafide/unix-peer";
import type { DescMessage } from "@bufbuild/protobuf";
import type { Selector } from "../core/entry.ts";
import type { GroupHold, ReadyView } from "../identity/identity-groups.ts";
import { FIRST_SVID_WAIT_MS } from "../limits.ts";
import type { SeenCaller } from "./caller-gate.ts";
import { fetchJwtSvid, type JwtApiDeps, validateJwtSvid } from "./jwt-api.ts";
import { jwtBundlesResponse } from "./jwt-responses.ts";
import { x509BundlesResponse, x509SvidResponse } from "./x509-responses.ts";

/** What the Workload API is served from. */
export type WorkloadApiDeps = JwtApiDeps;

/** Adds the X.509 and JWT parts of the SPIFFE Workload API; the methods of WIT-SVID answer UNIMPLEMENTED. */
export function addWorkloadApi(server: RpcServer<UnixConnection>, deps: WorkloadApiDeps): void {
  addService(server, SpiffeWorkloadAPI, {
    fetchX509SVID: (_request, context) => streamAnswers(deps, context, x509SvidResponse),
    fetchX509Bundles: (_request, context) => streamAnswers(deps, context, x509BundlesResponse),
    fetchJWTSVID: (request, context) => fetchJwtSvid(deps, request, context),
    fetchJWTBundles: (_request, context) => streamAnswers(deps, context, jwtBundlesResponse),
    validateJWTSVID: (request, context) => validateJwtSvid(deps, request, context),
  });
}

/**
 * Sends what a caller is entitled to, whole, now and after each change. The caller is looked at before the first message
 * and again before every other one; the stream ends with a reason when it is entitled to nothing (any more).
 */
async function* streamAnswers<D extends DescMessage>(
  deps: WorkloadApiDeps,
  context: CallContext<UnixConnection>,
  answerOf: (view: ReadyView) => Encoded<D>,
): AsyncGenerator<Encoded<D>, void, void> {
  const { gate, groups } = deps;
  const { signal } = context;
  const method = `${context.service}/${context.method}`;
  let seen = await gate.look(context.peer, method, { signal });
  const hold = groups.hold(seen.observation.selectors);
  let release: (() => void) | undefined;
  try {
    // In the same turn as the group asked for them: nothing is made for who is refused here.
    release = gate.holdKeys(seen, hold.asked);
    const isReady = hold.view.value.kind === "ready";
    const first = await firstView(deps, hold, seen, signal);
    // Whoever had to wait may have become another program meanwhile.
    if (!isReady) seen = await gate.lookAgain(seen, restsOn(first), { signal });
    gate.served(
      seen,
      first.identities.map(({ entry }) => entry.spiffeId),
    );
    let last = answerOf(first);
    yield last;
    for await (const view of hold.view.updates({ signal })) {
      if (view === first) continue;
      if (view.kind === "denied") throw gate.refuse(seen, "NO_IDENTITY_ISSUED");
      if (view.kind === "unavailable") {
        throw gate.refuse(seen, "AGENT_NOT_READY", { signingFailure: view.text });
      }
      if (view.kind !== "ready") continue;
      const answer = answerOf(view);
      if (answer === last || answer.bytes.equals(last.bytes)) continue;
      seen = await gate.lookAgain(seen, restsOn(view), { signal });
      last = answer;
      yield answer;
    }
  } finally {
    release?.();
    hold.release();
  }
}

/** What the identities of an answer rest on. */
function restsOn({ identities }: ReadyView): readonly Selector[] {
  return identities.flatMap(({ entry }) => entry.selectors);
}

/** Waits for the first answer, within limits. */
async function firstView(
  { clock, gate }: WorkloadApiDeps,
  hold: GroupHold,
  seen: SeenCaller,
  signal: AbortSignal,
): Promise<ReadyView> {
  const late = new AbortController();
  const settled = new AbortController();
  const timer = clock
    .sleep(FIRST_SVID_WAIT_MS, { signal: AbortSignal.any([signal, settled.signal]) })
    .then(
      () => late.abort(),
      () => {},
    );
  try {
    const ending = AbortSignal.any([signal, late.signal]);
    for await (const view of hold.view.updates({ signal: ending })) {
      if (view.kind === "ready") return view;
      if (view.kind === "denied") throw gate.refuse(seen, "NO_IDENTITY_ISSUED");
      if (view.kind === "unavailable") {
        throw gate.refuse(seen, "AGENT_NOT_READY", { signingFailure: view.text });
      }
    }
    signal.throwIfAborted();
    throw gate.refuse(seen, "AGENT_NOT_READY", { signingFailure: "not signed in time" });
  } finally {
    settled.abort();
    await timer;
  }
}
