import { randomBytes } from "node:crypto";
import { BonafideError, isBonafideError } from "@bonafide/errors";
import {
  type Certificate,
  commonNameOf,
  KEY_USAGE,
  parseCertificate,
  PKI_LIMITS,
  publicKeyOf,
  verifyPath,
} from "@bonafide/pki";
import {
  type AttestedNode,
  NODE_ATTESTOR_ERRORS,
  type NodeAttestation,
  type NodeAttestor,
} from "@bonafide/plugin-api";
import {
  isReserved,
  parseTrustDomainName,
  pathOf,
  type VerifiedX509Svid,
  verifyX509Svid,
  x509BundleOf,
  x509BundleSetOf,
} from "@bonafide/spiffe";
import type { AuthorityFiles } from "./authority-files.ts";
import { NONCE_BYTES } from "./limits.ts";
import { type Challenge, formatChallenge, parseEvidence, parseResponse } from "./messages.ts";
import { agentPath, checkPathTemplate } from "./path-template.ts";
import { isProven, kindOf } from "./proof.ts";
import { fingerprintOf, selectorsOf, serialHexOf, X509POP } from "./selectors.ts";

/** Who vouches for the nodes' certificates. */
export type X509popTrust =
  | {
      /** Authorities of another system, which gave each machine a certificate. */
      readonly mode: "external_pki";
      readonly authorities: AuthorityFiles;
    }
  | {
      /** Our own: an X509-SVID of this trust domain is exchanged for an agent's. */
      readonly mode: "spiffe";
      /** Which SVIDs: those whose path lies below this one. Default `/spire-exchange`. */
      readonly svidPrefix?: string;
    };

/** Options of {@link createX509popAttestor}. */
export interface X509popAttestorOptions {
  /** Default `{{ .PluginName }}/{{ .Fingerprint }}`; in mode `spiffe`, `{{ .PluginName }}/{{ .SVIDPathTrimmed }}`. */
  readonly agentPathTemplate?: string;
}

const TEMPLATES = {
  external_pki: "/{{ .PluginName }}/{{ .Fingerprint }}",
  spiffe: "/{{ .PluginName }}/{{ .SVIDPathTrimmed }}",
} as const;

/**
 * The server's side of `x509pop`: a node shows a certificate and proves, by signing a fresh nonce, that it holds the
 * key. On SPIRE's wire, so that its agents can come in.
 *
 * @throws NODE_ATTESTOR_MISCONFIGURED
 */
export function createX509popAttestor(
  trust: X509popTrust,
  options: X509popAttestorOptions = {},
): NodeAttestor {
  const template = options.agentPathTemplate ?? TEMPLATES[trust.mode];
  checkPathTemplate(template);
  const prefix = trust.mode === "spiffe" ? checkedPrefix(trust.svidPrefix) : "";
  if (trust.mode === "external_pki" && template.includes("SVIDPathTrimmed")) {
    throw new BonafideError(
      NODE_ATTESTOR_ERRORS,
      "NODE_ATTESTOR_MISCONFIGURED",
      "agent_path_template names SVIDPathTrimmed, which mode external_pki has not",
    );
  }
  return {
    name: X509POP,
    async attest(payload, attestation): Promise<AttestedNode> {
      const chain = evidenceOf(payload);
      const proven = await verifiedChain(trust, chain, attestation);
      const [leaf] = proven.path;
      if (leaf === undefined) throw refused("the chain is empty");
      await proveHeld(leaf, attestation);
      const path = agentPath(template, {
        PluginName: X509POP,
        Fingerprint: fingerprintOf(leaf),
        TrustDomain: attestation.trustDomain,
        SerialNumberHex: serialHexOf(leaf),
        "Subject.CommonName": commonNameOf(leaf.subject),
        SVIDPathTrimmed: proven.svid === undefined ? undefined : trimmedPath(proven.svid, prefix),
      });
      if (path === undefined)
        throw refused("agent_path_template makes no path of this certificate");
      const selectors = selectorsOf(proven.path, attestation.trustDomain);
      return { path, selectors, canReattest: true };
    },
  };
}

interface ProvenChain {
  /** Leaf to anchor. */
  readonly path: readonly Certificate[];
  /** Mode `spiffe` only. */
  readonly svid: VerifiedX509Svid | undefined;
}

function evidenceOf(payload: Uint8Array): readonly Uint8Array[] {
  const chain = parseEvidence(payload, PKI_LIMITS.presented);
  if (chain === undefined) throw refused("the payload is no list of certificates");
  return chain;
}

async function verifiedChain(
  trust: X509popTrust,
  chain: readonly Uint8Array[],
  { authorities, now, trustDomain }: NodeAttestation,
): Promise<ProvenChain> {
  const own = trust.mode === "spiffe" ? authorities : await trust.authorities.current();
  try {
    if (trust.mode === "external_pki") {
      const { path } = verifyPath(chain.map(parseCertificate), own, { now });
      return { path, svid: undefined };
    }
    const bundle = x509BundleOf(parseTrustDomainName(trustDomain), own);
    const svid = verifyX509Svid(chain, x509BundleSetOf([bundle]), { now });
    return { path: svid.path, svid };
  } catch (cause) {
    if (!isBonafideError(cause)) throw cause;
    throw refused(`the chain is not proven: ${cause.message}`, cause);
  }
}

async function proveHeld(leaf: Certificate, { challenge }: NodeAttestation): Promise<void> {
  if (((leaf.keyUsage ?? 0) & KEY_USAGE.digitalSignature) === 0) {
    throw refused("the certificate is not for digital signatures");
  }
  const key = publicKeyOf(leaf);
  const kind = kindOf(key);
  if (kind === undefined) throw refused("a key that is neither RSA nor ECDSA");
  const asked: Challenge = { kind, nonce: new Uint8Array(randomBytes(NONCE_BYTES)) };
  const response = parseResponse(await challenge(formatChallenge(asked)));
  if (response === undefined) throw refused("the answer to the challenge is malformed");
  if (!isProven(key, asked, response)) throw refused("the answer is not signed by the key");
}

/** The path below the prefix; refuses SVIDs that do not lie there, and those of servers and agents. */
function trimmedPath({ id }: VerifiedX509Svid, prefix: string): string {
  const path = pathOf(id);
  if (isReserved(id) || !path.startsWith(`${prefix}/`)) {
    throw refused(`${id} does not lie below ${prefix === "" ? "any path" : prefix}`);
  }
  return path.slice(prefix.length + 1);
}

function checkedPrefix(prefix = "/spire-exchange"): string {
  const plain = prefix.replace(/\/$/, "");
  if (plain === "" || /^(\/[A-Za-z0-9._-]+)+$/.test(plain)) return plain;
  throw new BonafideError(
    NODE_ATTESTOR_ERRORS,
    "NODE_ATTESTOR_MISCONFIGURED",
    "svid_prefix is no path",
  );
}

function refused(message: string, cause?: unknown): BonafideError {
  return new BonafideError(NODE_ATTESTOR_ERRORS, "NODE_EVIDENCE_REFUSED", message, { cause });
}
