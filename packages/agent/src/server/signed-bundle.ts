import { createHash, createPublicKey, randomBytes, verify } from "node:crypto";
import { BonafideError } from "@bonafide/errors";
import {
  type FetchSignedBundleResponse,
  Recovery,
} from "@bonafide/proto/bonafide/agent/v1/recovery_pb";
import { BundleSchema } from "@bonafide/proto/spire/api/types/bundle_pb";
import type { TrustDomain } from "@bonafide/spiffe";
import { fromBinary } from "@bufbuild/protobuf";
import type { TrustBundle } from "../core/bundle.ts";
import { AGENT_ERRORS } from "../errors.ts";
import { parseBundle } from "../wire/parse-bundle.ts";
import type { ServerLink } from "./server-link.ts";

const DOMAIN = Buffer.from("bonafide.agent.v1.SignedBundle\0", "latin1");

/** DER of a SubjectPublicKeyInfo for Ed25519 up to the 32 bytes of the key. */
const ED25519_SPKI = Buffer.from("302a300506032b6570032100", "hex");

/** An answer of a server that nothing verifies yet, and the nonce that it must be an answer to. */
export interface SignedBundle {
  readonly answer: FetchSignedBundleResponse;
  readonly nonce: Uint8Array;
}

const NONCE_BYTES = 32;

/** Asks for the bundle under the recovery key, with a nonce of this call only. @throws RpcError */
export async function fetchSignedBundle(
  link: Pick<ServerLink, "client">,
  options: { readonly signal: AbortSignal },
): Promise<SignedBundle> {
  const nonce = new Uint8Array(randomBytes(NONCE_BYTES));
  return { answer: await link.client(Recovery).fetchSignedBundle({ nonce }, options), nonce };
}

/** The bytes that the recovery key signs. */
export function signedBundleMessage(parts: {
  readonly trustDomain: string;
  readonly sequence: bigint;
  readonly bundle: Uint8Array;
  readonly nonce: Uint8Array;
}): Uint8Array {
  const name = Buffer.from(parts.trustDomain, "utf8");
  const length = Buffer.alloc(2);
  length.writeUInt16BE(name.length);
  const sequence = Buffer.alloc(8);
  sequence.writeBigUInt64BE(parts.sequence);
  const digest = createHash("sha256").update(parts.bundle).digest();
  return new Uint8Array(Buffer.concat([DOMAIN, length, name, sequence, digest, parts.nonce]));
}

/**
 * Verifies a bundle under the pinned recovery key of the trust domain.
 *
 * @param pinned.key       Raw Ed25519 key, 32 bytes.
 * @param pinned.sequence  The newest sequence number that was ever adopted; an older bundle is refused.
 * @throws SERVER_ANSWER_INVALID  another trust domain, key or nonce, an older bundle, or a wrong signature
 */
export function verifySignedBundle(
  { answer, nonce }: SignedBundle,
  pinned: {
    readonly trustDomain: TrustDomain;
    readonly key: Uint8Array;
    readonly sequence: bigint;
  },
): TrustBundle {
  if (answer.trustDomain !== pinned.trustDomain) throw invalid("is of another trust domain");
  if (answer.sequenceNumber < pinned.sequence) throw invalid("is older than the one held");
  const key = createPublicKey({
    key: Buffer.concat([ED25519_SPKI, pinned.key]),
    format: "der",
    type: "spki",
  });
  const message = signedBundleMessage({
    trustDomain: answer.trustDomain,
    sequence: answer.sequenceNumber,
    bundle: answer.bundle,
    nonce,
  });
  if (!verify(null, message, key, answer.signature)) {
    throw invalid("is not signed by the pinned recovery key");
  }
  const bundle = parseBundle(fromBinary(BundleSchema, answer.bundle), pinned.trustDomain);
  if (bundle.x509.authorities.length === 0) throw invalid("is empty");
  return { ...bundle, sequence: answer.sequenceNumber };
}

function invalid(what: string): BonafideError {
  return new BonafideError(AGENT_ERRORS, "SERVER_ANSWER_INVALID", `the signed bundle ${what}`);
}
