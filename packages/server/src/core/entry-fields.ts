import type { Selector } from "@bonafide/ledger";
import type { SpiffeId, TrustDomain } from "@bonafide/spiffe";

/** What a caller wrote about an entry: every text still unchecked. */
export interface EntryInput {
  /** Empty: the server chooses. */
  readonly id: string;
  readonly spiffeId: { readonly trustDomain: string; readonly path: string } | undefined;
  readonly parentId: { readonly trustDomain: string; readonly path: string } | undefined;
  readonly selectors: readonly Selector[];
  /** 0: the server's default. */
  readonly x509SvidTtlSeconds: number;
  readonly jwtSvidTtlSeconds: number;
  readonly federatesWith: readonly string[];
  readonly admin: boolean;
  readonly downstream: boolean;
  /** Unix seconds; 0: never. */
  readonly expiresAtSeconds: number;
  readonly dnsNames: readonly string[];
  readonly storeSvid: boolean;
  readonly hint: string;
  /** undefined: the caller said nothing of these. */
  readonly additionalAttributes:
    | { readonly disableX509SvidPrefetch: boolean; readonly jwtSvidIncludeJti: boolean }
    | undefined;
  /** Who answers for it; empty: the server's operator. */
  readonly owner: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** An entry whose every field was checked. Selectors, trust domains and DNS names stand once each. */
export interface CheckedEntry extends Omit<EntryInput, "spiffeId" | "parentId" | "federatesWith"> {
  readonly spiffeId: SpiffeId;
  readonly parentId: SpiffeId;
  readonly federatesWith: readonly TrustDomain[];
}
