import { createHash, type KeyObject, sign } from "node:crypto";
import { BonafideError } from "@bonafide/errors";
import { createCsr, type GeneratedKey, keySigner } from "@bonafide/pki";
import {
  type RecoverRequest,
  RecoverRequestSchema,
  type RecoverResponse_Result,
  Recovery,
} from "@bonafide/proto/bonafide/agent/v1/recovery_pb";
import type { X509Svid } from "@bonafide/spiffe";
import { create } from "@bufbuild/protobuf";
import { AGENT_ERRORS } from "../errors.ts";
import { SERVER_CALL_MS } from "../limits.ts";
import type { ServerLink } from "./server-link.ts";

const EXPORTER_LABEL = "EXPORTER-bonafide-recover";
const DOMAIN = Buffer.from("bonafide.agent.v1.Recover\0", "latin1");
const NONCE_BYTES = 32;

/** The bytes that the old key signs: bound to the server's nonce, to this very connection and to the new key. */
export function recoveryMessage(parts: {
  readonly nonce: Uint8Array;
  readonly exporter: Uint8Array;
  readonly csr: Uint8Array;
}): Uint8Array {
  const csrDigest = createHash("sha256").update(parts.csr).digest();
  return new Uint8Array(Buffer.concat([DOMAIN, parts.nonce, parts.exporter, csrDigest]));
}

/**
 * Exchanges an expired SVID for a new one (ADR-0063), over a connection without a client certificate.
 *
 * @param expired  The SVID that ended, with its key.
 * @param key      The new key.
 * @returns The server's result; its SVID is not yet proven.
 * @throws RpcError, SERVER_ANSWER_INVALID
 */
export async function recoverByExpiredSvid(
  link: ServerLink,
  expired: X509Svid,
  key: Pick<GeneratedKey, "privateKey">,
  options: { readonly signal: AbortSignal },
): Promise<RecoverResponse_Result> {
  const csr = createCsr(keySigner(key.privateKey));
  const { promise: proof, resolve: sendProof } = Promise.withResolvers<
    RecoverRequest | undefined
  >();
  const requests = async function* (): AsyncGenerator<RecoverRequest, void, void> {
    yield create(RecoverRequestSchema, { step: { case: "start", value: {} } });
    const second = await proof;
    if (second !== undefined) yield second;
  };
  try {
    const answers = link.client(Recovery).recover(requests(), {
      signal: options.signal,
      timeoutMs: SERVER_CALL_MS,
    });
    for await (const { step } of answers) {
      if (step.case === "result") return step.value;
      if (step.case !== "nonce" || step.value.length !== NONCE_BYTES) throw unexpected("no nonce");
      const exporter = link.exportKeyingMaterial(EXPORTER_LABEL, NONCE_BYTES);
      if (exporter === undefined) throw unexpected("nothing to bind the proof to");
      sendProof(
        create(RecoverRequestSchema, {
          step: {
            case: "proof",
            value: {
              expiredChain: expired.chain.map(({ der }) => der),
              csr,
              signature: signDer(
                recoveryMessage({ nonce: step.value, exporter, csr }),
                expired.privateKey,
              ),
            },
          },
        }),
      );
    }
    throw unexpected("no result of the recovery");
  } finally {
    sendProof(undefined);
  }
}

function signDer(message: Uint8Array, key: KeyObject): Uint8Array {
  return new Uint8Array(sign("sha256", message, { key, dsaEncoding: "der" }));
}

function unexpected(what: string): BonafideError {
  return new BonafideError(AGENT_ERRORS, "SERVER_ANSWER_INVALID", `the server sent ${what}`);
}
