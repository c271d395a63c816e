import { BonafideError } from "@bonafide/errors";
import type { Selector } from "@bonafide/ledger";
import type { NodeObject } from "@bonafide/ledger";
import { selectorText } from "@bonafide/ledger";
import type { NodeFilter, NodeSoftState, SetMatch } from "@bonafide/plugin-api";
import { type Agent, type AgentMask, AgentSchema } from "@bonafide/proto/spire/api/types/agent_pb";
import type { SelectorMatch } from "@bonafide/proto/spire/api/types/selector_pb";
import { create } from "@bufbuild/protobuf";
import { checkSelectors } from "../core/check-entry.ts";
import { parseGoTime } from "../core/go-time.ts";
import { SERVER_ERRORS } from "../errors.ts";
import { toWireId } from "./wire-entry.ts";

/** An agent as the wire has it. The id always goes out; a banned agent has no serial number. */
export function toWireAgent(
  node: NodeObject,
  soft: NodeSoftState | undefined,
  mask: AgentMask | undefined,
): Agent {
  const has = (field: Exclude<keyof AgentMask, "$typeName" | "$unknown">): boolean =>
    mask === undefined || mask[field];
  const isBanned = node.state === "banned";
  return create(AgentSchema, {
    id: toWireId(node.spiffeId),
    ...(has("attestationType") ? { attestationType: node.attestationType } : {}),
    ...(has("x509svidSerialNumber") && !isBanned
      ? { x509svidSerialNumber: soft?.serialNumber ?? "" }
      : {}),
    ...(has("x509svidExpiresAt")
      ? { x509svidExpiresAt: BigInt(Math.floor((soft?.expiresAtMs ?? 0) / 1000)) }
      : {}),
    ...(has("selectors") ? { selectors: node.selectors.map(plain) } : {}),
    ...(has("banned") ? { banned: isBanned } : {}),
    ...(has("canReattest") ? { canReattest: node.canReattest } : {}),
    ...(has("agentVersion") ? { agentVersion: soft?.agentVersion ?? "" } : {}),
  });
}

function plain({ type, value }: Selector): { type: string; value: string } {
  return { type, value };
}

/** What a caller asks for in a list of agents. */
export interface WireNodeFilter {
  readonly byAttestationType: string;
  readonly bySelectorMatch?: SelectorMatch | undefined;
  readonly byBanned?: boolean | undefined;
  readonly byCanReattest?: boolean | undefined;
  readonly byExpiresBefore: string;
}

/** @throws REQUEST_INVALID  a selector that is none, or a comparison nobody knows */
export function nodeFilter(filter: WireNodeFilter | undefined): NodeFilter {
  if (filter === undefined) return {};
  const { byAttestationType, bySelectorMatch, byBanned, byCanReattest, byExpiresBefore } = filter;
  // A time that cannot be read is passed over, as SPIRE does.
  const expiresBeforeMs = byExpiresBefore === "" ? undefined : parseGoTime(byExpiresBefore);
  return {
    ...(byAttestationType === "" ? {} : { attestationType: byAttestationType }),
    ...(bySelectorMatch === undefined ? {} : { selectors: selectorMatch(bySelectorMatch) }),
    ...(byBanned === undefined ? {} : { banned: byBanned }),
    ...(byCanReattest === undefined ? {} : { canReattest: byCanReattest }),
    ...(expiresBeforeMs === undefined ? {} : { expiresBeforeMs }),
  };
}

/** @throws REQUEST_INVALID */
export function selectorMatch({ selectors, match }: SelectorMatch): SetMatch {
  return { match: matchWord(match), words: checkSelectors(selectors).map(selectorText) };
}

const MATCHES = ["exact", "subset", "superset", "any"] as const;

/** @throws REQUEST_INVALID  a number that is not on the wire */
export function matchWord(match: number): SetMatch["match"] {
  const word = MATCHES[match];
  if (word !== undefined) return word;
  throw new BonafideError(SERVER_ERRORS, "REQUEST_INVALID", "an unknown way to compare sets");
}
