import type { BonafideError } from "@bonafide/errors";
import type { Position } from "@bonafide/ledger";
import type { EpochMs } from "@bonafide/lifetime";
import type { SpiffeId, TrustDomain } from "@bonafide/spiffe";

/** The other end of a connection, as it was proven when it was made. What it may do is decided anew at each call. */
export type ServerPeer =
  | {
      /** On the private socket; the kernel says who. */
      readonly kind: "local";
      readonly uid: number;
      readonly pid: number;
    }
  | {
      /** Over TLS, without a certificate: an attesting or recovering node, or anybody. */
      readonly kind: "anonymous";
      /** IP address. */
      readonly address: string;
      /** The channel's exporter value for a label, without context, 32 bytes. */
      readonly exporter: (label: string) => Uint8Array;
    }
  | {
      /** Over TLS, with an SVID that its trust domain issued and that is admitted here. */
      readonly kind: "member";
      readonly address: string;
      readonly id: SpiffeId;
      readonly trustDomain: TrustDomain;
      /** When its own certificate begins. */
      readonly notBefore: EpochMs;
      /** When the first certificate of its chain ends. */
      readonly notAfter: EpochMs;
      /** Hex key id of the root that it was proven by. */
      readonly rootId: string;
      /** Where in the ledger it was signed; agent SVIDs of this version only. */
      readonly signedAt: Position | undefined;
      /** Decimal serial number of the leaf. */
      readonly serialText: string;
    }
  | {
      /** Over TLS, with a certificate that was refused; here only to be told so at its first call. */
      readonly kind: "refused";
      readonly address: string;
      readonly error: BonafideError;
    };

/** A peer with an admitted SVID. */
export type MemberPeer = Extract<ServerPeer, { readonly kind: "member" }>;
