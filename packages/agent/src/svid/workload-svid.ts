import type { EpochMs } from "@bonafide/lifetime";
import type { SpiffeId } from "@bonafide/spiffe";
import type { RotationPlan } from "../core/rotation.ts";

/** An SVID of a workload with its key, as the Workload API carries it. In memory only. */
export interface WorkloadSvid {
  readonly entryId: string;
  readonly spiffeId: SpiffeId;
  /** Leaf first, DER, one after the other. */
  readonly chainDer: Uint8Array;
  /** PKCS#8 DER. */
  readonly keyDer: Uint8Array;
  readonly notAfter: EpochMs;
  /** What was left of its life when it was received, ms. */
  readonly lifeMs: number;
  /** Of the entry that it was signed for. */
  readonly revision: bigint;
  readonly createdAt: bigint;
  readonly plan: RotationPlan;
  /** Key id (hex) of the authority that it chains to. */
  readonly authorityKeyId: string;
}

/** A certificate to be signed. */
export interface SignRequest {
  readonly entryId: string;
  /** DER PKCS#10. */
  readonly csr: Uint8Array;
}

/** The server's answer for one request, in the order of the requests. */
export type SignResult =
  | { readonly kind: "signed"; readonly chain: readonly Uint8Array[] }
  /** The server does not, or no longer, know the entry for this node. */
  | { readonly kind: "not_found" }
  | { readonly kind: "failed"; readonly text: string };

/** Signs through the server. */
export interface SvidSigner {
  /**
   * One result for each request, in order.
   *
   * @throws a coded error when the call failed as a whole
   */
  sign(
    requests: readonly SignRequest[],
    options: { readonly signal: AbortSignal },
  ): Promise<readonly SignResult[]>;
}
