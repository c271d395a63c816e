import type { Position } from "./state-name.ts";

/** Who caused a change. */
export type Actor = {
  /** The way in, such as `admin.sock`, `tcp` or `attestation`. */
  readonly via: string;
} & (
  | {
      /** A caller on the network, proven by its X509-SVID. */
      readonly spiffeId: string;
    }
  | {
      /** A caller on the private socket, proven by the kernel. */
      readonly uid: number;
    }
  | {
      /** The server itself, by its id: rotation, recovery. */
      readonly server: string;
    }
  | {
      /** A person, by an identity provider's name for them. */
      readonly person: string;
    }
);

/** A lost leaf that a re-appended one takes care of. */
export interface Settled extends Position {
  readonly leafHash: Uint8Array;
}

/** Who did it and why: the first of the two parts of a body. */
export interface Meta {
  /** undefined: nobody was named. */
  readonly actor: Actor | undefined;
  /** A short sentence or code for people: the command, the RPC, the rule. */
  readonly cause: string;
  /** Lost leaves of the same key that this leaf settles, transitively. */
  readonly settles: readonly Settled[];
  /** Given by the caller to make a repeated request recognisable, at most 16 bytes; empty: none. */
  readonly requestId: Uint8Array;
  /** Schema of the kind that the object was written with. */
  readonly schema: number;
}
