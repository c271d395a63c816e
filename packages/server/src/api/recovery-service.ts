import { createHash, randomBytes } from "node:crypto";
import { BonafideError } from "@bonafide/errors";
import {
  type Certificate,
  parseCertificate,
  publicKeyOf,
  verifyPath,
  verifySignature,
} from "@bonafide/pki";
import {
  type Recovery,
  type RecoverRequest,
  type RecoverRequest_Proof,
  RecoverResponseSchema,
  type RecoverResponse,
} from "@bonafide/proto/bonafide/agent/v1/recovery_pb";
import { BundleSchema } from "@bonafide/proto/spire/api/types/bundle_pb";
import type { Handlers } from "@bonafide/rpc";
import { leafId, pathOf, type SpiffeId, trustDomainOf } from "@bonafide/spiffe";
import { create, toBinary } from "@bufbuild/protobuf";
import type { RecoveryKey } from "../authority/recovery-key.ts";
import { addressKey } from "../core/address-key.ts";
import { recoveryRoots } from "../core/bundle.ts";
import type { SvidMark } from "../core/newest-svid.ts";
import { recoveryRefusal } from "../core/recovery.ts";
import { decodeSignedAt, SIGNED_AT_OID } from "../core/signed-at.ts";
import { SERVER_ERRORS } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { ServerPeer } from "../port/server-peer.ts";
import { agentDenied } from "./access.ts";
import { addressOf } from "./address-of.ts";
import { keyOfCsr } from "./read-csr.ts";
import type { ServiceDeps, ServiceOptions } from "./services.ts";
import { signAgent } from "./sign-agent.ts";
import { toWireBundle, toWireSvid } from "./wire-svid.ts";
import { eachWithin } from "./within.ts";

const NONCE_BYTES = 32;
const EXPORTER_LABEL = "EXPORTER-bonafide-recover";
const ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2";

/**
 * bonafide.agent.v1.Recovery: the way back for a node that was off for longer than its SVID lived (ADR-0063).
 *
 * The proof is a signature by the old key over a nonce of this stream and a value of this very TLS connection, so that
 * neither a recording nor a man in the middle can use it. Every refusal but a ban has one text.
 */
export function recoveryHandlers(
  deps: ServiceDeps,
  options: ServiceOptions,
  recoveryKey: RecoveryKey,
): Handlers<typeof Recovery, ServerPeer> {
  return {
    recover: (requests, { peer }) => recover(deps, options, requests, peer),

    async fetchSignedBundle({ nonce }, { peer }) {
      if (nonce.length !== NONCE_BYTES) throw invalid("the nonce is not 32 bytes");
      if (peer.kind !== "local") deps.addressRate.take(addressKey(peer.address));
      const own = deps.bundles.own();
      const bundle = toBinary(BundleSchema, toWireBundle(options.trustDomain, own));
      const sequence = BigInt(own.number);
      const { trustDomain } = options;
      const digest = sha256(bundle);
      return {
        trustDomain,
        sequenceNumber: sequence,
        bundle,
        signature: await recoveryKey.sign({ trustDomain, sequence, digest, nonce }),
        recoveryKey: recoveryKey.publicKey,
      };
    },
  };
}

async function* recover(
  deps: ServiceDeps,
  options: ServiceOptions,
  requests: AsyncIterable<RecoverRequest>,
  peer: ServerPeer,
): AsyncGenerator<RecoverResponse, void, void> {
  if (peer.kind !== "anonymous") {
    throw new BonafideError(
      SERVER_ERRORS,
      "REQUEST_INVALID",
      "a node recovers over TLS without a client certificate",
    );
  }
  deps.addressRate.take(addressKey(peer.address));
  const steps = eachWithin(deps.clock, LIMITS.attestationMs, requests);
  const first = await steps.next();
  if (first.done === true || first.value.step.case !== "start") throw invalid("no start came");
  const nonce = new Uint8Array(randomBytes(NONCE_BYTES));
  yield create(RecoverResponseSchema, { step: { case: "nonce", value: nonce } });
  const second = await steps.next();
  if (second.done === true || second.value.step.case !== "proof") throw invalid("no proof came");
  const proof = second.value.step.value;
  const spki = keyOfCsr(proof.csr);
  const bound = Buffer.concat([
    Buffer.from("bonafide.agent.v1.Recover\0"),
    nonce,
    peer.exporter(EXPORTER_LABEL),
    sha256(proof.csr),
  ]);
  deps.freshness.assertFresh();
  // Without it nobody knows which SVID of the node was its last.
  await deps.soft.load();
  const { id, presented } = prove(deps, options, proof, bound, peer);
  deps.authorities.signing();
  await deps.alarms.record("recovery.accepted", id, {
    address: peer.address,
    serial: presented.serialNumber,
    expired: new Date(presented.expiresAtMs).toISOString(),
  });
  const svid = signAgent(deps, options, id, spki);
  deps.soft.issued(svid);
  const bundle = toWireBundle(options.trustDomain, deps.bundles.own());
  const result = { svid: toWireSvid(svid), reattestable: false, bundle };
  yield create(RecoverResponseSchema, { step: { case: "result", value: result } });
}

/** The node that the proof is of, and the SVID it was made with. @throws RECOVERY_REFUSED, AGENT_BANNED */
function prove(
  deps: ServiceDeps,
  options: ServiceOptions,
  proof: RecoverRequest_Proof,
  bound: Uint8Array,
  peer: ServerPeer,
): { readonly id: SpiffeId; readonly presented: SvidMark } {
  const { registry, clock, log, alarms, soft } = deps;
  const refuse = (reason: string, cause?: unknown): BonafideError => {
    const fields = { reason, address: addressOf(peer) };
    log({ level: "warn", event: "recovery.refused", fields, error: cause });
    return new BonafideError(SERVER_ERRORS, "RECOVERY_REFUSED", "recovery was refused", { cause });
  };
  let leaf: Certificate;
  let id: SpiffeId;
  try {
    const chain = readChain(proof.expiredChain);
    const [presented] = chain;
    if (presented === undefined) throw invalid("the chain is empty");
    leaf = presented;
    id = leafId(leaf);
    const objects = [...registry.all("authority")].map(({ object }) => object);
    const roots = recoveryRoots(objects, clock.now(), options.recoveryWindowMs);
    // Judged at the leaf's own end: everything above it lasts at least as long.
    const now = Math.min(clock.now(), leaf.notAfter);
    verifyPath(chain, roots.map(parseCertificate), { now, uriName: options.trustDomain });
  } catch (error) {
    throw refuse("chain", error);
  }
  const isAgent =
    trustDomainOf(id) === options.trustDomain && pathOf(id).startsWith("/spire/agent/");
  if (!isAgent) throw refuse("not-an-agent");
  // Only of the holder of the old key is anything told, be it a ban.
  if (!isSigned(leaf, bound, proof.signature)) {
    alarms.raise("recovery.wrong_proof", id, { address: addressOf(peer) });
    throw refuse("signature");
  }
  const signedAt = leaf.extensions.get(SIGNED_AT_OID)?.value;
  const presented = {
    serialNumber: leaf.serialText,
    expiresAtMs: leaf.notAfter,
    beginsAtMs: leaf.notBefore,
  };
  const refusal = recoveryRefusal({
    node: registry.find("node", id)?.object,
    signedAt: signedAt === undefined ? undefined : decodeSignedAt(signedAt),
    presented,
    newest: soft.of(id),
    now: clock.now(),
    windowMs: options.recoveryWindowMs,
  });
  if (refusal === "AGENT_BANNED") {
    alarms.raise("recovery.banned", id, { address: addressOf(peer) });
    throw agentDenied("AGENT_BANNED");
  }
  if (refusal === "superseded") {
    alarms.raise("recovery.superseded", id, { address: addressOf(peer) });
  }
  if (refusal !== undefined) throw refuse(refusal);
  return { id, presented };
}

function readChain(chain: readonly Uint8Array[]): readonly Certificate[] {
  if (chain.length > LIMITS.chainCertificates) throw invalid("the chain is too long");
  return chain.map((der) => parseCertificate(der));
}

function isSigned(leaf: Certificate, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    const publicKey = publicKeyOf(leaf);
    return verifySignature({ algorithm: ECDSA_WITH_SHA256, message, signature, publicKey });
  } catch {
    // A key of another kind, or bytes that are no signature: not proven.
    return false;
  }
}

function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
}

function invalid(message: string): BonafideError {
  return new BonafideError(SERVER_ERRORS, "REQUEST_INVALID", message);
}
