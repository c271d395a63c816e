import type { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { BonafideError } from "@bonafide/errors";
import type { EpochMs } from "@bonafide/lifetime";
import type { Certificate } from "@bonafide/pki";
import type { X509BundleSet } from "../bundle/x509-bundle-set.ts";
import { SPIFFE_ERRORS } from "../errors.ts";
import type { SpiffeId } from "../id/spiffe-id.ts";
import type { TrustDomain } from "../id/trust-domain.ts";
import { CHAIN_CERTIFICATES_MAX } from "../limits.ts";
import {
  type VerifiedX509Svid,
  verifyX509Svid,
  type X509SvidCache,
} from "../verify/verify-x509-svid.ts";
import type { Authorizer } from "./authorizer.ts";

/** Options of {@link VerifiedPeer.verify}. */
export interface VerifyPeerOptions {
  readonly bundles: X509BundleSet;
  readonly authorize: Authorizer;
  readonly now: EpochMs;
  readonly cache?: X509SvidCache;
}

const ownKey: unique symbol = Symbol("VerifiedPeer");

/**
 * The other end of a TLS connection: it holds the key of an SVID that its trust domain issued, and it was admitted.
 *
 * Cannot be made from anything but the socket of a finished handshake; a copy or a look-alike is not one.
 */
export class VerifiedPeer {
  readonly #svid: VerifiedX509Svid;
  readonly #presented: readonly Uint8Array[];
  /** The address of the other end when it was verified; `undefined` where there is none, as by a unix socket. */
  readonly remoteAddress: string | undefined;

  private constructor(
    key: typeof ownKey,
    svid: VerifiedX509Svid,
    {
      presented,
      remoteAddress,
    }: { readonly presented: readonly Uint8Array[]; readonly remoteAddress: string | undefined },
  ) {
    // `private` is gone at run time.
    if (key !== ownKey) throw new TypeError("a VerifiedPeer comes from a verified socket only");
    this.#svid = svid;
    this.#presented = presented;
    this.remoteAddress = remoteAddress;
  }

  /** Who it is. */
  get spiffeId(): SpiffeId {
    return this.#svid.id;
  }

  /** Whose member it is. */
  get trustDomain(): TrustDomain {
    return this.#svid.trustDomain;
  }

  /** When the first certificate of its chain ends; the connection does not outlive it. */
  get notAfter(): EpochMs {
    return this.#svid.notAfter;
  }

  /** The proven chain, leaf to authority. */
  get path(): readonly Certificate[] {
    return this.#svid.path;
  }

  /** All that was proven, as of the last verification of this connection. */
  get svid(): VerifiedX509Svid {
    return this.#svid;
  }

  /** Every certificate that it presented, DER, in its order. */
  get presented(): readonly Uint8Array[] {
    return this.#presented;
  }

  /** The SPIFFE ID, so that a peer can be logged as it is. */
  toString(): string {
    return this.#svid.id;
  }

  /** Says who it is and until when, and nothing of the certificates. */
  toJSON(): { readonly spiffeId: SpiffeId; readonly notAfter: EpochMs } {
    return { spiffeId: this.#svid.id, notAfter: this.#svid.notAfter };
  }

  /** Whether a value is a peer that was verified, not one that looks like it. */
  static isVerifiedPeer(value: unknown): value is VerifiedPeer {
    return typeof value === "object" && value !== null && #svid in value;
  }

  /**
   * Verifies and admits the other end of a socket whose handshake is finished.
   *
   * @throws TLS_SESSION_RESUMED  a resumed session shows no chain to verify
   * @throws PEER_ANONYMOUS       it presented no certificate
   * @throws X509_SVID_INVALID, BUNDLE_NOT_FOUND, X509_SVID_UNTRUSTED  as `verifyX509Svid`
   * @throws PEER_NOT_AUTHORIZED  verified, but not admitted
   */
  static verify(socket: TLSSocket, options: VerifyPeerOptions): VerifiedPeer {
    const { authorize, bundles, now, cache } = options;
    // First of all: a resumed session shows no certificate, and must not pass for an anonymous peer.
    if (socket.isSessionReused()) {
      throw new BonafideError(SPIFFE_ERRORS, "TLS_SESSION_RESUMED", "the TLS session was resumed");
    }
    const presented = presentedBy(socket);
    if (presented.length === 0) {
      throw new BonafideError(SPIFFE_ERRORS, "PEER_ANONYMOUS", "the peer showed no certificate");
    }
    const svid = verifyX509Svid(presented, bundles, {
      now,
      ...(cache === undefined ? {} : { cache }),
    });
    admit(svid, authorize);
    // Kept, since a socket whose other end is gone no longer tells.
    const { remoteAddress } = socket;
    return new VerifiedPeer(ownKey, svid, { presented, remoteAddress });
  }
}

/** Whether the other end showed a certificate, or hides it behind a resumed session. */
export function isAnonymous(socket: TLSSocket): boolean {
  return !socket.isSessionReused() && socket.getPeerX509Certificate() === undefined;
}

/** Every certificate as it was sent. `getPeerCertificate` loses some and mixes in our own store. */
function presentedBy(socket: TLSSocket): readonly Uint8Array[] {
  const presented: Uint8Array[] = [];
  let next: X509Certificate | undefined = socket.getPeerX509Certificate();
  // One more than the limit, so that the verifier refuses the chain rather than a part of it.
  while (next !== undefined && presented.length <= CHAIN_CERTIFICATES_MAX) {
    presented.push(new Uint8Array(next.raw));
    next = next.issuerCertificate;
  }
  return presented;
}

function admit(svid: VerifiedX509Svid, authorize: Authorizer): void {
  let cause: unknown;
  try {
    // A hostile or careless predicate may answer anything; only `true` is yes.
    // oxlint-disable-next-line typescript/no-unnecessary-boolean-literal-compare -- callers without types
    if (authorize.admits(svid) === true) return;
  } catch (error) {
    cause = error;
  }
  throw new BonafideError(
    SPIFFE_ERRORS,
    "PEER_NOT_AUTHORIZED",
    `${svid.id} is not admitted here: only a peer that ${authorize.rule}`,
    { details: { id: svid.id }, cause },
  );
}
