import { BonafideError } from "@bonafide/errors";
import { createCsr, type GeneratedKey, keySigner } from "@bonafide/pki";
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

/**
 * Attests this node by a join token.
 *
 * @param key  Kept by the caller until the SVID is on disk: the server lets the same key repeat the call for a while.
 * @throws RpcError, SERVER_ANSWER_INVALID
 */
export async function attestByToken(
  link: ServerLink,
  token: string,
  key: Pick<GeneratedKey, "privateKey">,
  options: { readonly signal: AbortSignal },
): Promise<AttestedAnswer> {
  const over = new AbortController();
  const requests = async function* (): AsyncGenerator<AttestAgentRequest, void, void> {
    yield request({
      step: {
        case: "params",
        value: {
          data: { type: "join_token", payload: Buffer.from(token, "utf8") },
          params: { csr: createCsr(keySigner(key.privateKey)) },
        },
      },
    });
    // A server reads an early end as the caller's farewell; wait for its answer.
    await new Promise<void>((resolve) => {
      over.signal.addEventListener("abort", () => resolve(), { once: true });
    });
  };
  try {
    const answers = link.client(Agent).attestAgent(requests(), {
      signal: options.signal,
      timeoutMs: SERVER_CALL_MS,
    });
    for await (const { step } of answers) {
      if (step.case === "result") return step.value;
      if (step.case === "challenge") throw unexpected("a challenge for a join token");
    }
    throw unexpected("no result of the attestation");
  } finally {
    over.abort();
  }
}

function request(init: MessageInitShape<typeof AttestAgentRequestSchema>): AttestAgentRequest {
  return create(AttestAgentRequestSchema, init);
}

function unexpected(what: string): BonafideError {
  return new BonafideError(AGENT_ERRORS, "SERVER_ANSWER_INVALID", `the server sent ${what}`);
}
