import { randomUUID } from "node:crypto";
import { isIP } from "node:net";
import {
  type ActionName,
  type DecisionReason,
  type DecisionRecord,
  type EntityUid,
  isActionName,
  type VerifiedBundle,
} from "@bonafide/authz";
import { BonafideError } from "@bonafide/errors";
import { type Clock, systemClock } from "@bonafide/lifetime";
import { VerifiedPeer } from "@bonafide/spiffe";
import { EdgeCounters, type EdgeReport } from "./core/edge-counters.ts";
import { type Asked, Judge, type Judgement, refused } from "./core/judge.ts";
import { RecordRing, type RecordReport } from "./core/record-ring.ts";
import type { VerifiedUser } from "./core/verified-user.ts";
import { ENFORCE_ERRORS } from "./errors.ts";
import { ASKED_CHARACTERS_MAX } from "./limits.ts";

/** Where the bundle of now is; a `BundleFile` is one. */
export interface BundleSource {
  /** `undefined`: there never was a good one, and everything is denied. */
  readonly current: VerifiedBundle | undefined;
}

/** Options of {@link Enforcer}. */
export interface EnforcerOptions {
  /** The service that this process is, by its name in the bundle. */
  readonly service: string;
  readonly bundle: BundleSource;
  /** A bundle to be tried beside: its answer is counted and recorded where it is another one, and never acted on. */
  readonly candidate?: BundleSource;
  /**
   * Counts and records, and lets every call through: for the days before a service dares to enforce. Skips the check, as
   * the name says.
   */
  readonly observeOnlyInsecure?: boolean;
  /** One of so many allowed calls is recorded, default 1,000; 0 records none. Denied ones are always recorded. */
  readonly recordAllowedEvery?: number;
  /** Most records that wait to be taken, default 1,000. */
  readonly recordsMax?: number;
  /** Most edges that are counted one by one, default 10,000. */
  readonly edgesMax?: number;
  /** Told when a forbid erred: a call was denied for it, and somebody has to mend the policy. Must not throw. */
  readonly onAlarm?: (record: DecisionRecord) => void;
  readonly clock?: Clock;
}

/** A call by a verified peer. */
export interface Call {
  readonly peer: VerifiedPeer;
  /** An action such as `http.POST`; what is none is denied. */
  readonly action: string;
  readonly asked: Asked;
  /** Address of the caller, as text; default the peer's, as it was when it was verified. */
  readonly sourceIp?: string | undefined;
  readonly user?: VerifiedUser | "invalid" | undefined;
}

/** What is to be done with a call. */
export interface Answer {
  /** Whether the call may go on; also `true` if it was only observed. */
  readonly allowed: boolean;
  readonly reason: DecisionReason;
  /** Names the record; the refused caller may know it. Empty if nothing was recorded. */
  readonly decision: string;
  /** What was asked for, where that is clear. */
  readonly resource: EntityUid | undefined;
  /** The user in whose name it goes on; only if allowed. */
  readonly user: string | undefined;
}

/** Decides calls to one service by the bundle of now, counts all of them and records what matters. */
export class Enforcer {
  readonly service: string;
  readonly #options: EnforcerOptions;
  readonly #clock: Clock;
  readonly #edges: EdgeCounters;
  readonly #records: RecordRing;
  #judge: Judge | undefined;
  #candidate: Judge | undefined;
  #untilRecord: number;

  constructor(options: EnforcerOptions) {
    const { service, clock = systemClock, recordsMax, edgesMax } = options;
    this.service = service;
    this.#options = options;
    this.#clock = clock;
    this.#edges = new EdgeCounters(edgesMax === undefined ? {} : { max: edgesMax });
    this.#records = new RecordRing(recordsMax === undefined ? {} : { max: recordsMax });
    this.#untilRecord = this.#recordEvery;
  }

  /**
   * Decides a call. Never fails for what a caller sent.
   *
   * @throws TypeError  the peer is none that was verified
   */
  authorize(call: Call): Answer {
    if (!VerifiedPeer.isVerifiedPeer(call.peer)) throw new TypeError("not a verified peer");
    const { asked, sourceIp: address = call.peer.remoteAddress, user } = call;
    const caller = call.peer.spiffeId;
    const action = isActionName(call.action) ? call.action : undefined;
    const now = this.#clock.now();
    const sourceIp = plainAddress(address);
    const question = { caller, action, asked, now, sourceIp, user };
    this.#judge = this.#judgeOf(this.#options.bundle, this.#judge);
    const judgement = this.#judge?.judge(question) ?? refused("no_bundle");
    this.#candidate = this.#judgeOf(this.#options.candidate, this.#candidate);
    const tried = this.#candidate?.judge(question);
    const instead = tried === undefined || tried.reason === judgement.reason ? undefined : tried;
    this.#count(call, judgement, instead, now);
    const isObserved = this.#options.observeOnlyInsecure === true;
    const decision = this.#isRecorded(judgement, instead)
      ? this.#record({ call, action, sourceIp, now, judgement, instead })
      : "";
    const allowed = judgement.allowed || isObserved;
    const { reason, resource, onBehalfOf } = judgement;
    return { allowed, reason, decision, resource, user: allowed ? onBehalfOf?.user : undefined };
  }

  /** What was called since the last time; all calls are in it. */
  takeEdges(): EdgeReport {
    return this.#edges.take();
  }

  /** The records since the last time, and how many were dropped. */
  takeRecords(): RecordReport {
    return this.#records.take();
  }

  #judgeOf(source: BundleSource | undefined, before: Judge | undefined): Judge | undefined {
    const bundle = source?.current;
    if (bundle === before?.bundle || bundle === undefined) return before;
    return new Judge(bundle, this.service);
  }

  #count(call: Call, judgement: Judgement, instead: Judgement | undefined, now: number): void {
    const { allowed, reason, resource, edges, onBehalfOf, shadow, isDeclared } = judgement;
    const edge = {
      caller: call.peer.spiffeId,
      onBehalf: onBehalfOf !== undefined,
      action: isActionName(call.action) ? call.action : "?",
      resource: resource?.id ?? "?",
      allowed,
      reason,
      policy: edges[0]?.policies[0] ?? "",
      shadow: shadow?.reason ?? "",
      candidate: instead?.reason ?? "",
    } as const;
    this.#edges.add(edge, { now, isDeclared });
  }

  get #recordEvery(): number {
    return this.#options.recordAllowedEvery ?? 1000;
  }

  #isRecorded({ allowed, shadow }: Judgement, instead: Judgement | undefined): boolean {
    if (!allowed || shadow !== undefined || instead !== undefined) return true;
    if (this.#recordEvery === 0 || --this.#untilRecord > 0) return false;
    this.#untilRecord = this.#recordEvery;
    return true;
  }

  #record(parts: {
    readonly call: Call;
    readonly action: ActionName | undefined;
    readonly sourceIp: string | undefined;
    readonly now: number;
    readonly judgement: Judgement;
    readonly instead: Judgement | undefined;
  }): string {
    const { call, action, sourceIp, now, judgement, instead } = parts;
    const { allowed, reason, resource, isDeclared, edges, onBehalfOf, shadow } = judgement;
    const bundle = this.#judge?.bundle.ref;
    const candidate = this.#candidate?.bundle.ref;
    const record: DecisionRecord = {
      id: randomUUID(),
      at: now,
      service: this.service,
      caller: call.peer.spiffeId,
      ...(action !== undefined && { action }),
      ...(resource && { resource: { type: typeOf(resource), id: resource.id } }),
      ...(!isDeclared && "path" in call.asked && { asked: askedOf(call.action, call.asked.path) }),
      tls: true,
      ...(sourceIp !== undefined && { sourceIp }),
      ...(onBehalfOf && { onBehalfOf }),
      allowed,
      reason,
      ...(this.#options.observeOnlyInsecure === true && { observed: true }),
      ...(bundle && { bundle }),
      edges,
      ...(shadow && { shadow }),
      ...(instead &&
        candidate && {
          candidate: {
            allowed: instead.allowed,
            reason: instead.reason,
            policies: instead.edges.flatMap(({ policies }) => policies).slice(0, 32),
            bundle: candidate,
          },
        }),
    };
    this.#records.add(record);
    if (reason === "policy_erred") this.#options.onAlarm?.(record);
    return record.id;
  }
}

/** The error of a call that was not allowed; adapters turn it into what their protocol says. */
export function denialOf({ reason, decision }: Answer): BonafideError {
  const isReady = reason !== "no_bundle" && reason !== "bundle_expired";
  const [code, message] = isReady
    ? (["CALL_DENIED", "the call is not permitted"] as const)
    : (["POLICY_NOT_READY", "there is nothing to decide the call by"] as const);
  return new BonafideError(ENFORCE_ERRORS, code, message, { details: { decision } });
}

function typeOf({ type }: EntityUid): NonNullable<DecisionRecord["resource"]>["type"] {
  const name = type.replace(/^BF::/, "");
  return name === "Table" || name === "Topic" || name === "Service" ? name : "Route";
}

function askedOf(action: string, path: string): string {
  return `${action.replace(/^http\./, "")} ${path}`.slice(0, ASKED_CHARACTERS_MAX).toWellFormed();
}

/**
 * An IPv4 address that came by an IPv6 socket is written as policies write it; a zone is of this host alone. What is no
 * address is not told.
 */
function plainAddress(address = ""): string | undefined {
  const plain = address.replace(/^::ffff:(?=[\d.]+$)/i, "").replace(/%.*$/, "");
  return isIP(plain) === 0 ? undefined : plain;
}
