import { BonafideError } from "@bonafide/errors";
import { createCsr, type GeneratedKey, keySigner } from "@bonafide/pki";
import type { NodeProof, NodeProver } from "@bonafide/plugin-api";
import {
  Agent,
  type AttestAgentRequest,
  AttestAgentRequestSchema,
} from "@bonafide/proto/spire/api/server/agent/v1/agent_pb";
import type { X509SVID } from "@bonafide/proto/spire/api/types/x509svid_pb";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { AGENT_ERRORS } from "../errors.ts";
import { SERVER_CALL_MS } from "../limits.ts";
import type { ServerLink } from "./server-link.ts";

/** What a node attestation brought; the SVID is not yet proven. */
export interface AttestedAnswer {
  readonly svid?: X509SVID | undefined;
  readonly reattestable: boolean;
}

interface CallOptions {
  readonly signal: AbortSignal;
}

type FreshKey = Pick<GeneratedKey, "privateKey">;

/** Challenges that a server may send. */
const CHALLENGES_MAX = 8;

/**
 * Attests this node by a join token.
 *
 * @param key  Kept by the caller until the SVID is on disk: the server lets the same key repeat the call for a while.
 * @throws RpcError, SERVER_ANSWER_INVALID
 */
export function attestByToken(
  link: ServerLink,
  token: string,
  key: FreshKey,
  options: CallOptions,
): Promise<AttestedAnswer> {
  const payload = Buffer.from(token, "utf8");
  return attest(link, { type: "join_token", payload, answer: refuseChallenge }, key, options);
}

/**
 * Attests this node by what it can prove as often as it is asked.
 *
 * @throws RpcError, SERVER_ANSWER_INVALID, and what the prover throws
 */
export async function attestByProof(
  link: ServerLink,
  prover: NodeProver,
  key: FreshKey,
  options: CallOptions,
): Promise<AttestedAnswer> {
  const { payload, answer } = await prover.begin(options);
  return attest(link, { type: prover.name, payload, answer }, key, options);
}

function refuseChallenge(): Promise<never> {
  return Promise.reject(unexpected("a challenge for a join token"));
}

interface Proof extends NodeProof {
  readonly type: string;
}

async function attest(
  link: ServerLink,
  { type, payload, answer }: Proof,
  key: FreshKey,
  options: CallOptions,
): Promise<AttestedAnswer> {
  const answered: Uint8Array[] = [];
  let wake = Promise.withResolvers<void>();
  let isOver = false;
  const requests = async function* (): AsyncGenerator<AttestAgentRequest, void, void> {
    const csr = createCsr(keySigner(key.privateKey));
    yield request({
      step: { case: "params", value: { data: { type, payload }, params: { csr } } },
    });
    // A server reads an early end as the caller's farewell; wait for its answer.
    for (;;) {
      await wake.promise;
      wake = Promise.withResolvers();
      for (const value of answered.splice(0)) {
        yield request({ step: { case: "challengeResponse", value } });
      }
      if (isOver) return;
    }
  };
  try {
    const answers = link.client(Agent).attestAgent(requests(), {
      signal: options.signal,
      timeoutMs: SERVER_CALL_MS,
    });
    let challenges = 0;
    for await (const { step } of answers) {
      if (step.case === "result") return step.value;
      if (step.case !== "challenge") continue;
      if (++challenges > CHALLENGES_MAX) throw unexpected("challenges without end");
      answered.push(await answer(step.value));
      wake.resolve();
    }
    throw unexpected("no result of the attestation");
  } finally {
    isOver = true;
    wake.resolve();
  }
}

function request(init: MessageInitShape<typeof AttestAgentRequestSchema>): AttestAgentRequest {
  return create(AttestAgentRequestSchema, init);
}

function unexpected(what: string): BonafideError {
  return new BonafideError(AGENT_ERRORS, "SERVER_ANSWER_INVALID", `the server sent ${what}`);
}
