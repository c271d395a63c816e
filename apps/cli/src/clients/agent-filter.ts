import { SelectorMatch_MatchBehavior as Match } from "@bonafide/proto/spire/api/types/selector_pb";
import type { FlagValues } from "../arguments/command.ts";
import { usage } from "../arguments/parse-flags.ts";
import { type GivenSelector, selectorOf } from "./selector-flag.ts";

/** Which nodes are meant; shared by `agent list` and `agent count`. */
export const AGENT_FILTER_FLAGS = {
  banned: { kind: "boolean", help: "only banned ones", spire: "banned" },
  "can-reattest": {
    kind: "boolean",
    help: "only those that can attest again by themselves",
    spire: "canReattest",
  },
  "attestation-type": {
    kind: "string",
    help: "only those of this attestor, such as join_token",
    spire: "attestationType",
  },
  selector: {
    kind: "string",
    repeated: true,
    help: "only those observed with all of these",
    placeholder: "TYPE:VALUE",
    spire: "selector",
  },
  "expires-before": {
    kind: "string",
    help: "only those whose SVID ends before, such as 2026-12-31T00:00:00Z",
    placeholder: "TIME",
    spire: "expiresBefore",
  },
} as const;

/** The filter as the wire has it. */
export interface AgentFilter {
  byAttestationType: string;
  byBanned?: boolean;
  byCanReattest?: boolean;
  bySelectorMatch?: {
    selectors: GivenSelector[];
    match: Match;
  };
  byExpiresBefore: string;
}

/** @throws USAGE  a time that is none, a selector that is none */
export function agentFilter(flags: FlagValues<typeof AGENT_FILTER_FLAGS>): AgentFilter {
  const before = flags["expires-before"];
  return {
    byAttestationType: flags["attestation-type"] ?? "",
    ...(flags.banned ? { byBanned: true } : {}),
    ...(flags["can-reattest"] ? { byCanReattest: true } : {}),
    ...(flags.selector.length === 0
      ? {}
      : {
          bySelectorMatch: {
            selectors: flags.selector.map(selectorOf),
            match: Match.MATCH_SUPERSET,
          },
        }),
    byExpiresBefore: before === undefined ? "" : goTime(before),
  };
}

/** The one form of a time that SPIRE's servers read. */
function goTime(text: string): string {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw usage(`--expires-before needs a time, not ${text}`);
  return `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")} +0000 +00`;
}
