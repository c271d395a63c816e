import type { ErrorTable } from "@bonafide/errors";
import type { Selector } from "@bonafide/ledger";
import type { EpochMs } from "@bonafide/lifetime";
import type { Certificate } from "@bonafide/pki";

/** What attesting a node, or proving one, fails with. */
export const NODE_ATTESTOR_ERRORS = {
  /** What the attestor was given at its start cannot be used; the message names the part. */
  NODE_ATTESTOR_MISCONFIGURED: { status: "failed_precondition", retry: false },
  /**
   * The node did not prove what it claims. The message is for the server's log: every caller gets the same answer,
   * ATTESTATION_FAILED.
   */
  NODE_EVIDENCE_REFUSED: { status: "invalid_argument", retry: false },
  /** The server's challenge cannot be answered: it is malformed, or not for this kind of key. */
  NODE_CHALLENGE_INVALID: { status: "internal", retry: true },
} as const;
NODE_ATTESTOR_ERRORS satisfies ErrorTable;

/** A node as its attestor found it. */
export interface AttestedNode {
  /**
   * The path of its SPIFFE ID below `/spire/agent`, with its leading slash, such as `/x509pop/0a1b`. Its first segment
   * is no other attestor's name.
   */
  readonly path: string;
  /** Of the attestor's own type, each once, at most 128. */
  readonly selectors: readonly Selector[];
  /** Whether the node can prove itself the same way again; it then does so instead of renewing. */
  readonly canReattest: boolean;
}

/** What an attestation may look at. */
export interface NodeAttestation {
  /** Name without scheme. */
  readonly trustDomain: string;
  /** The X.509 authorities of the own trust domain, as of now; tainted ones are left out. */
  readonly authorities: readonly Certificate[];
  readonly now: EpochMs;
  /** Aborts when the caller left or was too slow. */
  readonly signal: AbortSignal;
  /**
   * Sends bytes to the node and gives what it answers. May be called several times, one after the other.
   *
   * @throws what ended the call
   */
  readonly challenge: (bytes: Uint8Array) => Promise<Uint8Array>;
}

/**
 * Decides which node is calling.
 *
 * Contract: safe for concurrent calls; keeps nothing of a call after it settled; never logs the payload; refuses with
 * NODE_EVIDENCE_REFUSED whatever the payload and the answers are, and with nothing else.
 *
 * @stability experimental
 */
export interface NodeAttestor {
  /** Type of its evidence and of its selectors: lower case letters, digits, `_`. */
  readonly name: string;
  attest(payload: Uint8Array, attestation: NodeAttestation): Promise<AttestedNode>;
}

/** One proof under way, of the node's side. */
export interface NodeProof {
  readonly payload: Uint8Array;
  /** @throws NODE_CHALLENGE_INVALID */
  readonly answer: (challenge: Uint8Array) => Promise<Uint8Array>;
}

/**
 * The node's side of a {@link NodeAttestor}: proves, as often as is asked, which node this is.
 *
 * Contract: safe for concurrent calls; reads its key and certificates anew for each proof; never logs them.
 *
 * @stability experimental
 */
export interface NodeProver {
  /** The attestor's name. */
  readonly name: string;
  /** @throws NODE_ATTESTOR_MISCONFIGURED  what it proves by cannot be read now */
  begin(options: { readonly signal: AbortSignal }): Promise<NodeProof>;
}
