import { createHash } from "node:crypto";
import { BonafideError, isBonafideError } from "@bonafide/errors";
import type { NodeAttestor } from "@bonafide/plugin-api";
import {
  type AttestAgentRequest,
  AttestAgentResponseSchema,
  type AttestAgentResponse,
} from "@bonafide/proto/spire/api/server/agent/v1/agent_pb";
import { parseSpiffeId } from "@bonafide/spiffe";
import { create } from "@bufbuild/protobuf";
import type { SignedSvid } from "../authority/sign-svid.ts";
import { addressKey } from "../core/address-key.ts";
import { isTokenAttack, type TokenRefusal } from "../core/join-token.ts";
import { JOIN_TOKEN_TYPE, proposeSpending, tokenNodeId } from "../core/propose-token.ts";
import { SERVER_ERRORS } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { ServerPeer } from "../port/server-peer.ts";
import { agentDenied } from "./access.ts";
import { addressOf } from "./address-of.ts";
import { attestByEvidence } from "./attest-by-evidence.ts";
import { keyOfCsr } from "./read-csr.ts";
import type { ServiceDeps, ServiceOptions } from "./services.ts";
import { signAgent } from "./sign-agent.ts";
import { toWireSvid } from "./wire-svid.ts";
import { eachWithin } from "./within.ts";

/** Characters that a join token may have, since it becomes a segment of a SPIFFE ID. */
const TOKEN = /^[A-Za-z0-9._-]+$/;

/** Whether a text can be a join token. */
export function isTokenText(text: string): boolean {
  return TOKEN.test(text) && text !== "." && text !== ".." && text.length <= LIMITS.joinTokenBytes;
}

/** SHA-256 of a join token, hex: all that is ever kept of it. */
export function tokenDigest(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/**
 * AttestAgent: takes a new node in.
 *
 * Every reason for which a token is refused has one text; the log, and the alarm where it looks like theft, tell more.
 */
export async function* attestAgent(
  deps: ServiceDeps,
  options: ServiceOptions,
  requests: AsyncIterable<AttestAgentRequest>,
  peer: ServerPeer,
): AsyncGenerator<AttestAgentResponse, void, void> {
  if (peer.kind === "anonymous" || peer.kind === "member")
    deps.addressRate.take(addressKey(peer.address));
  const messages = eachWithin(deps.clock, LIMITS.attestationMs, requests);
  try {
    yield* attestFirst(deps, options, messages, peer);
  } finally {
    await messages.return();
  }
}

async function* attestFirst(
  deps: ServiceDeps,
  options: ServiceOptions,
  messages: AsyncGenerator<AttestAgentRequest, void, void>,
  peer: ServerPeer,
): AsyncGenerator<AttestAgentResponse, void, void> {
  const first = await messages.next();
  const step = first.done === true ? undefined : first.value.step;
  if (step?.case !== "params") throw invalid("the first message has no params");
  const { data, params } = step.value;
  if (data === undefined) throw invalid("the attestation data is missing");
  if (data.type === "") throw invalid("the attestation type is missing");
  if (data.payload.length === 0) throw invalid("the attestation payload is missing");
  if (data.payload.length > LIMITS.attestationBytes) throw invalid("the payload is too large");
  if (params === undefined) throw invalid("the CSR is missing");
  const spki = keyOfCsr(params.csr);
  const { payload, type } = data;
  const { svid, reattestable } =
    type === JOIN_TOKEN_TYPE
      ? { svid: await attestByToken(deps, options, payload, spki, peer), reattestable: false }
      : yield* attestByEvidence(deps, options, {
          attestor: attestorOf(deps, type),
          payload,
          spki,
          peer,
          messages,
        });
  const result = { svid: toWireSvid(svid), reattestable };
  yield create(AttestAgentResponseSchema, { step: { case: "result", value: result } });
}

/** @throws ATTESTATION_TYPE_UNKNOWN */
function attestorOf({ nodeAttestors }: ServiceDeps, type: string): NodeAttestor {
  const attestor = nodeAttestors.get(type);
  if (attestor !== undefined) return attestor;
  throw new BonafideError(
    SERVER_ERRORS,
    "ATTESTATION_TYPE_UNKNOWN",
    "no node attestor of this type is configured",
  );
}

async function attestByToken(
  deps: ServiceDeps,
  options: ServiceOptions,
  payload: Uint8Array,
  spki: Uint8Array,
  peer: ServerPeer,
): Promise<SignedSvid> {
  const token = Buffer.from(payload).toString("latin1");
  if (!isTokenText(token)) throw refusedToken();
  const tokenSha256 = tokenDigest(token);
  const nodeId = parseSpiffeId(tokenNodeId(options.trustDomain, token));
  const spending = {
    tokenSha256,
    keySha256: new Uint8Array(createHash("sha256").update(spki).digest()),
    nodeId,
    nowMs: deps.clock.now(),
  };
  const refused = (reason: TokenRefusal): void => {
    const fields = { token: `sha256:${tokenSha256}`, reason, address: addressOf(peer) };
    deps.log({ level: "warn", event: "attestation.refused", fields });
    if (isTokenAttack(reason)) {
      deps.alarms.raise("join_token.other_key", `sha256:${tokenSha256}`, {
        address: addressOf(peer),
      });
    }
  };
  // Before the token is spent: without an authority the node would have to come again.
  deps.authorities.signing();
  deps.freshness.assertFresh();
  try {
    await deps.lane.submit(proposeSpending(spending, refused), {
      actor: { spiffeId: nodeId, via: "attestation" },
      cause: "AttestAgent join_token",
    });
  } catch (error) {
    throw isBonafideError(error, "AGENT_BANNED") ? agentDenied("AGENT_BANNED") : error;
  }
  const svid = signAgent(deps, options, nodeId, spki);
  deps.soft.issued(svid);
  deps.log({ level: "info", event: "agent.attested", fields: { type: JOIN_TOKEN_TYPE } });
  return svid;
}

function refusedToken(): BonafideError {
  return new BonafideError(SERVER_ERRORS, "ATTESTATION_FAILED", "the join token is not valid");
}

function invalid(message: string): BonafideError {
  return new BonafideError(SERVER_ERRORS, "REQUEST_INVALID", message);
}
