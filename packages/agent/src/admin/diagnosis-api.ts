import { BonafideError } from "@bonafide/errors";
import type { Clock, EpochMs } from "@bonafide/lifetime";
import {
  Diagnosis,
  type ElsewhereEntry,
  type GetStatusResponseSchema,
  SyncMode,
  type WhyResponseSchema,
} from "@bonafide/proto/bonafide/agent/v1/diagnosis_pb";
import { addService, type RpcServer } from "@bonafide/rpc";
import type { UnixConnection } from "@bonafide/unix-peer";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Observation } from "../attestation/observation.ts";
import { explainAgent, explainFreshness } from "../core/why/explain-agent.ts";
import type { CallerFact, ForeignEntry, SocketFact, WhyFacts } from "../core/why/facts.ts";
import { why } from "../core/why/why.ts";
import type { CallingProcess, Decision, DecisionLog } from "../decision/decision-log.ts";
import { AGENT_ERRORS } from "../errors.ts";
import type { IdentityGroups } from "../identity/identity-groups.ts";
import type { ClockWatch } from "../node/clock-watch.ts";
import type { NodeIdentity } from "../node/node-identity.ts";
import type { Synchroniser } from "../node/synchroniser.ts";
import type { Picture } from "../picture/picture.ts";
import type { ServerAddress } from "../server/server-link.ts";
import { socketFault } from "../socket-fault.ts";
import type { SvidKeeper } from "../svid/svid-keeper.ts";
import { parseElsewhere } from "../wire/elsewhere.ts";
import {
  formatCause,
  formatDecision,
  formatIdentities,
  formatNearest,
  formatObserved,
  formatOmitted,
  formatProcess,
} from "../wire/format-diagnosis.ts";
import { callerFactOf } from "../workload/caller-fact.ts";
import type { UidLimits } from "../workload/uid-limits.ts";

/** What the Diagnosis service is served from. */
export interface DiagnosisDeps {
  readonly clock: Clock;
  readonly picture: Picture;
  readonly keeper: SvidKeeper;
  readonly groups: IdentityGroups;
  readonly decisions: DecisionLog;
  readonly identity: NodeIdentity;
  readonly synchroniser: Synchroniser;
  readonly clockWatch: ClockWatch;
  readonly limits: UidLimits;
  /** Looks at a process that did not call. */
  readonly observeProcess: (
    pid: number,
    options: { readonly signal: AbortSignal },
  ) => Promise<Observation>;
  readonly address: ServerAddress;
  readonly version: string;
  readonly socketPath: string;
  readonly startedAt: EpochMs;
}

/** Entries that an operator may add to a question. */
const ELSEWHERE_MAX = 100_000;

const DECISIONS_LISTED = { usual: 50, max: 1000 };

/** Adds reasons for operators; to be served on the admin socket only. */
export function addDiagnosis(server: RpcServer<UnixConnection>, deps: DiagnosisDeps): void {
  addService(server, Diagnosis, {
    async why({ about, want, elsewhere }, { signal }) {
      const question = { want, elsewhere: elsewhereOf(deps, elsewhere) };
      switch (about.case) {
        case "pid":
          return explain(deps, await subjectOfPid(deps, about.value, signal), question);
        case "decisionId":
          return explain(deps, subjectOfDecision(deps, about.value), question);
        case undefined:
          throw new BonafideError(AGENT_ERRORS, "REQUEST_INVALID", "name a process or a decision");
        default:
          return about satisfies never;
      }
    },
    listDecisions({ limit, refusedOnly, pid }) {
      const most = Math.min(limit === 0 ? DECISIONS_LISTED.usual : limit, DECISIONS_LISTED.max);
      const decisions = deps.decisions.list(
        (decision) =>
          (!refusedOnly || decision.outcome === "refused") &&
          (pid === 0 || processOf(decision)?.pid === pid),
        most,
      );
      return { decisions: decisions.map((decision) => summaryOf(deps, decision)) };
    },
    getStatus: () => statusOf(deps),
  });
}

interface Subject {
  readonly caller: CallerFact;
  /** Of a process that did not call. */
  readonly socket?: SocketFact;
  readonly observation: Observation | undefined;
  readonly decision?: Decision;
  readonly signingFailure?: string;
}

/** What is asked beside the subject. */
interface Question {
  /** Empty for any. */
  readonly want: string;
  readonly elsewhere: readonly ForeignEntry[];
}

const NOTHING_MORE: Question = { want: "", elsewhere: [] };

function elsewhereOf(
  { identity }: DiagnosisDeps,
  elsewhere: readonly ElsewhereEntry[],
): readonly ForeignEntry[] {
  if (elsewhere.length > ELSEWHERE_MAX) {
    throw new BonafideError(AGENT_ERRORS, "REQUEST_INVALID", "too many entries to look at");
  }
  return parseElsewhere(elsewhere, {
    agentId: identity.svid?.id,
    formerIds: identity.formerIds,
  });
}

async function subjectOfPid(
  deps: DiagnosisDeps,
  pid: number,
  signal: AbortSignal,
): Promise<Subject> {
  try {
    const observation = await deps.observeProcess(pid, { signal });
    const socket = socketOf(deps, observation);
    return { caller: { kind: "seen" }, observation, ...(socket === undefined ? {} : { socket }) };
  } catch (error) {
    signal.throwIfAborted();
    const caller = callerFactOf(error);
    if (caller.kind !== "gone") return { caller, observation: undefined };
    throw new BonafideError(AGENT_ERRORS, "PROCESS_NOT_FOUND", `no process ${pid} runs here`, {
      cause: error,
    });
  }
}

/** What keeps a process from our socket; of one that sees other folders than we do nothing can be said. */
function socketOf({ socketPath }: DiagnosisDeps, seen: Observation): SocketFact | undefined {
  const seesOurs = seen.selectors.some(({ type, value }) => type === "ns" && value === "mnt:host");
  if (!seesOurs) return undefined;
  return socketFault({ path: socketPath, from: "the agent's configuration" }, seen);
}

function subjectOfDecision({ decisions }: DiagnosisDeps, id: string): Subject {
  const decision = decisions.find(id);
  if (decision === undefined) {
    throw new BonafideError(
      AGENT_ERRORS,
      "DECISION_NOT_FOUND",
      "no decision of that id is remembered; the newest 2000 are, until the agent restarts",
    );
  }
  return subjectOf(decision);
}

/** All that is known, as the pure explanation takes it. */
function factsOf(deps: DiagnosisDeps, subject: Subject, question: Question): WhyFacts {
  const { want, elsewhere } = question;
  const { picture, identity, synchroniser, clockWatch, socketPath } = deps;
  const { observation, decision } = subject;
  const pid = observation?.pid ?? decision?.peer?.pid;
  const selectors = observation?.selectors ?? [];
  const { offsetMs } = clockWatch;
  const { awaySince } = synchroniser;
  const signingFailure = subject.signingFailure ?? troubleOf(deps, observation);
  return {
    socketPath,
    caller: subject.caller,
    ...(subject.socket === undefined ? {} : { socket: subject.socket }),
    ...(pid === undefined ? {} : { pid }),
    ...aboutOf(decision, pid),
    selectors,
    omitted: observation?.omitted ?? [],
    standing: identity.standing,
    freshness: {
      ...(offsetMs === undefined ? {} : { clockOffsetMs: offsetMs }),
      clockRefused: !clockWatch.mayIssue,
      revision: picture.revision,
      nextSync: synchroniser.mode === "push" ? "at once, by push" : "with the next poll",
      ...(awaySince === undefined ? {} : { awaySince: new Date(awaySince).toISOString() }),
    },
    ...(identity.svid === undefined ? {} : { agentId: identity.svid.id }),
    entries: [...picture.entries.entries()],
    serving: deps.groups.servedEntries(),
    elsewhere,
    ...(signingFailure === undefined ? {} : { signingFailure }),
    ...(want === "" ? {} : { want }),
  };
}

/** How the operator asks the same again. */
function aboutOf(decision: Decision | undefined, pid: number | undefined): { about?: string } {
  if (decision !== undefined) return { about: decision.id };
  return pid === undefined ? {} : { about: `--pid ${pid}` };
}

function troubleOf(
  { groups, keeper }: DiagnosisDeps,
  observation: Observation | undefined,
): string | undefined {
  const entries = groups.entriesOf(observation?.selectors ?? []);
  if (entries.some((entry) => keeper.svid(entry) !== undefined)) return undefined;
  return entries.map(({ id }) => keeper.trouble(id)).find((text) => text !== undefined);
}

function explain(
  deps: DiagnosisDeps,
  subject: Subject,
  question: Question,
): MessageInitShape<typeof WhyResponseSchema> {
  const { groups, keeper } = deps;
  const answer = why(factsOf(deps, subject, question));
  const { observation, decision } = subject;
  const selectors = observation?.selectors ?? [];
  const process = formatProcess(observation ?? decision?.peer);
  return {
    ...(process === undefined ? {} : { process }),
    observed: formatObserved(selectors),
    omitted: formatOmitted(observation?.omitted ?? []),
    identities: formatIdentities(
      groups.entriesOf(selectors),
      selectors,
      (entry) => keeper.svid(entry)?.notAfter,
    ),
    ...(decision === undefined ? {} : { decision: formatDecision(decision) }),
    ...(answer.first === undefined ? {} : { firstCause: formatCause(answer.first) }),
    also: answer.also.map((cause) => formatCause(cause)),
    nearest: answer.nearest.map((near) => formatNearest(near)),
    mendingCommand: answer.first?.command ?? "",
  };
}

function summaryOf(
  deps: DiagnosisDeps,
  decision: Decision,
): {
  decision: ReturnType<typeof formatDecision>;
  process?: NonNullable<ReturnType<typeof formatProcess>>;
  firstCauseCode: string;
  spiffeIds: string[];
} {
  const process = formatProcess(processOf(decision));
  const refused = decision.outcome === "refused";
  const cause = refused
    ? why(factsOf(deps, subjectOf(decision), NOTHING_MORE)).first?.code
    : undefined;
  return {
    decision: formatDecision(decision),
    ...(process === undefined ? {} : { process }),
    firstCauseCode: cause ?? "",
    spiffeIds: [...decision.spiffeIds],
  };
}

function subjectOf(decision: Decision): Subject {
  const { caller, observation, signingFailure } = decision;
  return {
    caller,
    observation,
    decision,
    ...(signingFailure === undefined ? {} : { signingFailure }),
  };
}

function processOf({ observation, peer }: Decision): Observation | CallingProcess | undefined {
  return observation ?? peer;
}

const MODES = { push: SyncMode.PUSH, poll: SyncMode.POLL } as const;

function statusOf(deps: DiagnosisDeps): MessageInitShape<typeof GetStatusResponseSchema> {
  const { picture, identity, synchroniser, clockWatch, keeper, limits, address } = deps;
  const nobody: Subject = { caller: { kind: "seen" }, observation: undefined };
  const facts = factsOf(deps, nobody, NOTHING_MORE);
  const { state } = picture;
  const { offsetMs } = clockWatch;
  return {
    trustDomain: picture.trustDomain,
    agentId: identity.svid?.id ?? "",
    serverAddress: `${address.host}:${address.port}`,
    version: deps.version,
    startedAtMs: BigInt(deps.startedAt),
    svidExpiresAtMs: BigInt(identity.svid?.notAfter ?? 0),
    reattestable: identity.reattestable,
    syncMode:
      synchroniser.lastSyncAt === undefined ? SyncMode.UNSPECIFIED : MODES[synchroniser.mode],
    lastSyncAtMs: BigInt(Math.round(synchroniser.lastSyncAt ?? 0)),
    ...(state === undefined ? {} : { state }),
    revision: picture.revision,
    entries: picture.entries.size,
    cachedSvids: keeper.size,
    streams: limits.streams,
    ...(offsetMs === undefined ? {} : { clockOffsetMs: BigInt(Math.round(offsetMs)) }),
    problems: [...explainAgent(facts), ...explainFreshness(facts)].map((cause) =>
      formatCause(cause),
    ),
  };
}
