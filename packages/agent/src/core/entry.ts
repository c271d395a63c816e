import type { SpiffeId } from "@bonafide/spiffe";

/** One observed or wanted fact, as SPIRE writes it: `unix:uid:1000` is type `unix`, value `uid:1000`. */
export interface Selector {
  readonly type: string;
  readonly value: string;
}

/** The one-line form of a selector; the type holds no colon, so it can be read back. */
export function selectorText(selector: Selector): string {
  return `${selector.type}:${selector.value}`;
}

/** A registration entry as the agent holds it: parsed, so that its IDs are members of the trust domain. */
export interface Entry {
  readonly id: string;
  readonly spiffeId: SpiffeId;
  /** Absent when the server did not send it (a SPIRE server does not under an agent's usual mask). */
  readonly parentId?: string;
  readonly selectors: readonly Selector[];
  /** Trust domain names, without scheme. */
  readonly federatesWith: readonly string[];
  readonly hint: string;
  /** Rises with every change of the entry; an SVID of an older revision is replaced. */
  readonly revision: bigint;
  /** Unix seconds. */
  readonly createdAt: bigint;
  /** Unix seconds, 0 for never. */
  readonly expiresAt: bigint;
  /** Holders of these flags administer the trust domain; their SVIDs are never handed to delegates. */
  readonly admin: boolean;
  readonly downstream: boolean;
  /** Meant for a secret store and not for the Workload API. */
  readonly storeSvid: boolean;
  /** Each of its JWT-SVIDs is one of its kind, so none is given out twice. */
  readonly jwtSvidIncludeJti: boolean;
}

/** Orders entries by age, then id: stable across fetches, restarts and servers (Workload API §8). */
export function compareEntries(a: Entry, b: Entry): number {
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt ? -1 : 1;
  if (a.id === b.id) return 0;
  return a.id < b.id ? -1 : 1;
}
