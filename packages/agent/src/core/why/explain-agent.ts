import { assertNever } from "../assert-never.ts";
import type { Cause } from "./causes.ts";
import { explainSocket } from "./explain-socket.ts";
import type { CallerFact, WhyFacts } from "./facts.ts";

/** Rungs 1 to 3: did the call reach the agent, and could its caller be seen? */
export function explainArrival(facts: WhyFacts): Cause[] {
  const { socket } = facts;
  if (socket !== undefined) return [explainSocket(socket)];
  const cause = explainCaller(facts);
  return cause === undefined ? [] : [cause];
}

function explainCaller({ caller, pid }: WhyFacts): Cause | undefined {
  const who = pid === undefined ? "the caller" : `process ${pid}`;
  switch (caller.kind) {
    case "seen":
      return undefined;
    case "header_missing":
      return {
        code: "protocol.header_missing",
        says: `the call's header workload.spiffe.io was ${
          caller.values.length === 0 ? "absent" : JSON.stringify(caller.values.join(", "))
        }`,
        hint: "Send the header workload.spiffe.io: true, exactly once and in lower case; every SPIFFE library does.",
        command: "grpcurl -H 'workload.spiffe.io: true' ...",
      };
    case "outside_pid_namespace":
      return {
        code: "caller.outside_pid_namespace",
        says: "the kernel shows the caller as process 0: it is not in the agent's PID namespace",
        hint: "Give the agent the host's PID namespace (hostPID: true, --pid=host).",
      };
    case "id_unmapped":
      return explainUnmapped(caller);
    case "ids_changed":
      return {
        code: "caller.ids_changed",
        says: `${who} connected as ${caller.socketIds} and is now ${caller.processIds}`,
        hint: `Connect after dropping privileges: the connection was made as ${caller.socketIds}, the process is ${caller.processIds}.`,
      };
    case "gone":
      return {
        code: "caller.gone",
        says: `${who} ended before it could be looked at`,
        hint: "The process that opened the connection must live as long as it is used.",
      };
    case "not_pinned":
      return {
        code: "caller.not_pinned",
        says: `the kernel cannot tie the connection to one process: ${caller.detail}`,
        hint: "Use Linux 6.5 or later, or allow it with require_pinned_peer: false, knowing what that is worth.",
      };
    case "ids_unreadable":
      return {
        code: "caller.ids_unreadable",
        says: `the ids of ${who} cannot be checked: procfs is closed to the agent and the kernel is older than 6.13`,
        hint: "Run the agent as root or with access to procfs (hidepid, gid=), or use Linux 6.13 or later.",
      };
    case "facts_changed":
      return {
        code: "caller.facts_changed",
        says: `${who} changed: ${caller.detail}`,
        hint: "Open a new connection once the process has settled: after exec, setuid and moves between cgroups.",
      };
    case "too_many":
      return {
        code: "caller.too_many",
        says: `the user of ${who} was turned away: ${caller.detail}`,
        hint: "Keep one stream open for each process in place of many calls.",
      };
    default:
      return assertNever(caller);
  }
}

function explainUnmapped({ uid, gid, allMapped }: CallerFact & { kind: "id_unmapped" }): Cause {
  return allMapped
    ? {
        code: "caller.id_unmapped",
        says: `the caller runs as ${uid}:${gid} (nobody, nogroup): a number that stands for any user or group unknown to a namespace, and is shared by many`,
        hint: "Run the workload as a user and a group of its own, such as User= and Group= in its unit; nobody is never attested.",
      }
    : {
        code: "caller.id_unmapped",
        says: `the kernel shows the caller's ids as ${uid}:${gid}: one of them is not mapped into the agent's user namespace`,
        hint: "Run the agent in the user namespace of the host.",
      };
}

/** Rung 5: the agent's standing with its server. */
export function explainAgent({
  standing,
  agentId,
}: Pick<WhyFacts, "standing" | "agentId">): Cause[] {
  const lostId =
    standing.kind === "banned" || standing.kind === "evicted" ? standing.id : undefined;
  const agent = agentId ?? lostId ?? "this agent";
  switch (standing.kind) {
    case "good":
      return [];
    case "not_attested":
      return [
        {
          code: "agent.not_attested",
          says: `the agent has not joined a server: ${standing.detail}`,
          hint: "Give it a join token from bonafide token create.",
          command: "bonafide token create",
        },
      ];
    case "token_used":
      return [
        {
          code: "agent.token_used",
          says: `the join token had been used: ${standing.detail}`,
          hint: "A token works once. Keep the agent's data folder across restarts, or make a new token with bonafide token create.",
          command: "bonafide token create",
        },
      ];
    case "token_refused":
      return [
        {
          code: "agent.token_refused",
          says: "the server refused the join token; it does not tell callers why",
          hint: "A token works once and for a limited time (600 s unless it was made with another one), and bonafide ledger log on the server says what became of it. Make a new one with bonafide token create; a refused token stays refused.",
          command: "bonafide token create",
        },
      ];
    case "bundle_mismatch":
      return [
        {
          code: "agent.bundle_mismatch",
          says: `the server presents authority ${standing.presented}; the agent's bundle holds ${standing.pinned}`,
          hint: "If the server was really rebuilt, take its bundle anew (bonafide bundle show) and start the agent with it and a new token. If not, something stands between them.",
          command: "bonafide bundle show > bundle.pem",
        },
      ];
    case "trust_domain_mismatch":
      return [
        {
          code: "agent.trust_domain_mismatch",
          says: `the server is of trust domain ${standing.presented}, and this agent was set up for ${standing.expected}`,
          hint: `Start the agent with --trust-domain ${standing.presented} and that domain's bundle, or give it the address of a server of ${standing.expected}.`,
        },
      ];
    case "clock_off":
      return [explainClock(standing.clock)];
    case "svid_expired":
      return [
        {
          code: "agent.svid_expired",
          says: `the agent's own SVID expired ${standing.expiredAt}`,
          hint: standing.canReattest
            ? "The agent can attest again by itself; look at its log for what keeps it from doing so."
            : "The agent cannot attest again by itself. Make a token with bonafide token create and start the agent with it.",
          command: standing.canReattest ? "bonafide agent healthcheck" : "bonafide token create",
        },
      ];
    case "evicted":
      return [
        {
          code: "agent.evicted",
          says: `the server does not know ${agent} any more: it was evicted, or the authority that signed its SVID was revoked`,
          hint: "Make a token with bonafide token create and start the agent with it; bonafide ledger log says who evicted it or revoked the authority.",
          command: "bonafide token create",
        },
      ];
    case "banned":
      return [
        {
          code: "agent.banned",
          says: `${agent} is banned: ${standing.detail}`,
          hint: `bonafide ledger log says who banned it and when; bonafide agent evict ${agent} lifts the ban, then join with a new token.`,
          command: `bonafide agent evict ${agent}`,
        },
      ];
    default:
      return assertNever(standing);
  }
}

function explainClock(clock: "ahead" | "behind"): Cause {
  const fault =
    clock === "ahead"
      ? "has ended by this node's clock"
      : "begins later than this node's clock says it is";
  return {
    code: "clock.skew",
    says: `the server's certificate ${fault}: this clock is ${clock}, or that server is not well`,
    hint: "Set this node's clock; the agent tries again by itself and needs no restart.",
    command: "timedatectl set-ntp true",
  };
}

/** Rung 6: the agent's picture of the server. */
export function explainFreshness({ freshness, standing }: WhyFacts): Cause[] {
  const causes: Cause[] = [];
  if (freshness.clockRefused && freshness.clockOffsetMs !== undefined) {
    const seconds = (freshness.clockOffsetMs / 1000).toFixed(1);
    const signed = freshness.clockOffsetMs > 0 ? `+${seconds}` : seconds;
    causes.push({
      code: "clock.skew",
      says: `this node's clock is ${signed} s against the server's (${
        freshness.clockOffsetMs > 0 ? "ahead" : "behind"
      }); nothing is issued beyond 300 s`,
      hint: `Set this node's clock: it is off by ${signed} s, measured against the server.`,
      command: "timedatectl set-ntp true",
    });
  }
  if (freshness.awaySince !== undefined && standing.kind === "good") {
    causes.push({
      code: "sync.server_away",
      says: `the server has been away since ${freshness.awaySince}; entries made since then are not known here`,
      hint: "Look whether the server runs and can be reached; the agent goes on trying by itself.",
      command: "bonafide server healthcheck",
    });
  }
  return causes;
}
