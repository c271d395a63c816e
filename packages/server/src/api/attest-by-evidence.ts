import { BonafideError, isBonafideError } from "@bonafide/errors";
import type { Certificate } from "@bonafide/pki";
import type { AttestedNode, NodeAttestation, NodeAttestor } from "@bonafide/plugin-api";
import {
  type AttestAgentRequest,
  type AttestAgentResponse,
  AttestAgentResponseSchema,
} from "@bonafide/proto/spire/api/server/agent/v1/agent_pb";
import { create } from "@bufbuild/protobuf";
import { authorityIdOf, type SignedSvid } from "../authority/sign-svid.ts";
import { attestedFacts, proposeAttested } from "../core/attested-node.ts";
import { JOIN_TOKEN_TYPE } from "../core/propose-token.ts";
import { SERVER_ERRORS } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { ServerPeer } from "../port/server-peer.ts";
import { agentDenied } from "./access.ts";
import { addressOf } from "./address-of.ts";
import type { ServiceDeps, ServiceOptions } from "./services.ts";
import { signAgent } from "./sign-agent.ts";
import { within } from "./within.ts";

/** What a node shows. */
export interface Evidence {
  readonly attestor: NodeAttestor;
  readonly payload: Uint8Array;
  /** The key that the SVID is for. */
  readonly spki: Uint8Array;
  readonly peer: ServerPeer;
  /** What the node says further; each message comes in time or fails. */
  readonly messages: AsyncIterator<AttestAgentRequest>;
}

/** An SVID for a node that an attestor recognised. */
export interface AttestedSvid {
  readonly svid: SignedSvid;
  readonly reattestable: boolean;
}

/**
 * Attests a node by an attestor, in as many rounds as it wants.
 *
 * Every reason for which evidence is refused has one text on the wire; the log tells more.
 */
export async function* attestByEvidence(
  deps: ServiceDeps,
  options: ServiceOptions,
  evidence: Evidence,
): AsyncGenerator<AttestAgentResponse, AttestedSvid, void> {
  const { attestor, peer, spki } = evidence;
  // Before the node has to prove anything: without an authority it would have to come again.
  deps.authorities.signing();
  deps.freshness.assertFresh();
  try {
    const node = yield* judged(deps, options, evidence);
    const others = [JOIN_TOKEN_TYPE, ...deps.nodeAttestors.keys()];
    const facts = attestedFacts(node, {
      attestationType: attestor.name,
      trustDomain: options.trustDomain,
      othersNames: new Set(others.filter((name) => name !== attestor.name)),
    });
    const { spiffeId } = facts;
    await deps.lane.submit(proposeAttested(facts), {
      actor: { spiffeId, via: "attestation" },
      cause: `AttestAgent ${attestor.name}`,
    });
    const svid = signAgent(deps, options, spiffeId, spki);
    deps.soft.issued(svid);
    const fields = { type: attestor.name, id: spiffeId };
    deps.log({ level: "info", event: "agent.attested", fields });
    return { svid, reattestable: facts.canReattest };
  } catch (error) {
    throw refusal(deps, attestor, peer, error);
  }
}

/** Gives the attestor what the node says, and the node what the attestor asks. */
async function* judged(
  deps: ServiceDeps,
  { trustDomain }: ServiceOptions,
  { attestor, payload, messages }: Evidence,
): AsyncGenerator<AttestAgentResponse, AttestedNode, void> {
  const over = new AbortController();
  let asked = Promise.withResolvers<Question>();
  const attestation: NodeAttestation = {
    trustDomain,
    authorities: soundAuthorities(deps),
    now: deps.clock.now(),
    signal: over.signal,
    challenge: (bytes) => {
      const answer = Promise.withResolvers<Uint8Array>();
      asked.resolve({ bytes, answer });
      return answer.promise;
    },
  };
  const verdict = attestor.attest(payload, attestation);
  // It is awaited below; meanwhile its failure is nobody's unhandled one.
  verdict.catch(() => {});
  const ended = verdict.then((node) => ({ node }));
  ended.catch(() => {});
  try {
    for (let rounds = 0; rounds <= LIMITS.attestationRounds; rounds++) {
      const turn = Promise.race([ended, asked.promise]);
      const next = await within(deps.clock, LIMITS.attestationMs, turn);
      if ("node" in next) return next.node;
      asked = Promise.withResolvers<Question>();
      yield create(AttestAgentResponseSchema, { step: { case: "challenge", value: next.bytes } });
      next.answer.resolve(await answerOf(messages));
    }
    throw new Error(`attestor ${attestor.name} asks without end`);
  } finally {
    over.abort();
  }
}

interface Question {
  readonly bytes: Uint8Array;
  readonly answer: PromiseWithResolvers<Uint8Array>;
}

async function answerOf(messages: AsyncIterator<AttestAgentRequest>): Promise<Uint8Array> {
  const next = await messages.next();
  const step = next.done === true ? undefined : next.value.step;
  if (step?.case !== "challengeResponse") throw invalid("the challenge was not answered");
  if (step.value.length > LIMITS.attestationBytes) throw invalid("the answer is too large");
  return step.value;
}

/** What vouches for our own SVIDs; a tainted authority may be in wrong hands. */
function soundAuthorities({ bundles }: ServiceDeps): readonly Certificate[] {
  const { bundle, x509 } = bundles.own();
  const tainted = new Set(bundle.x509.filter((each) => each.tainted).map(({ id }) => id));
  return x509.authorities.filter((certificate) => !tainted.has(authorityIdOf(certificate)));
}

/** The one answer to whatever was not proven. */
function refusal(
  deps: ServiceDeps,
  { name }: NodeAttestor,
  peer: ServerPeer,
  error: unknown,
): unknown {
  if (isBonafideError(error, "AGENT_BANNED")) return agentDenied("AGENT_BANNED");
  const isRefused =
    isBonafideError(error, "NODE_EVIDENCE_REFUSED") || isBonafideError(error, "ATTESTATION_FAILED");
  if (!isRefused) return error;
  const fields = { type: name, reason: error.message, address: addressOf(peer) };
  deps.log({ level: "warn", event: "attestation.refused", fields });
  return new BonafideError(
    SERVER_ERRORS,
    "ATTESTATION_FAILED",
    "the node did not prove what it claims",
    { cause: error },
  );
}

function invalid(message: string): BonafideError {
  return new BonafideError(SERVER_ERRORS, "REQUEST_INVALID", message);
}
