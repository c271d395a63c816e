import type { Kind } from "./kinds.ts";
import type { Position, StateName } from "./state-name.ts";

/** One property that an attestor observes or an entry asks for. */
export interface Selector {
  readonly type: string;
  readonly value: string;
}

/** Which physical history a store is. Changes when a standby is promoted or when the database is another one. */
export interface Incarnation {
  /** PostgreSQL: system identifier. SQLite: random id of the file. */
  readonly system: string;
  /** PostgreSQL: timeline, raised by each promotion. SQLite: 1. */
  readonly timeline: number;
}

/** Kind 1, always leaf 1: what this ledger is. */
export interface LedgerObject {
  readonly kind: "ledger";
  /** Hexadecimal, random, 16 bytes. */
  readonly ledgerId: string;
  /** Name, without scheme. */
  readonly trustDomain: string;
}

/** A branch that was given up: its newest state, and hashes of the leaves it held, at most 4096. */
export interface Abandoned {
  readonly newest: StateName;
  readonly leafHashes: readonly Uint8Array[];
}

/** Kind 2, always the first leaf of its epoch: a floor under every number told from then on. */
export interface EpochObject {
  readonly kind: "epoch";
  /** The epoch that this leaf opens. */
  readonly epoch: number;
  /** The state it goes on from; undefined for the first epoch of a ledger. */
  readonly openedAfter: StateName | undefined;
  readonly cause: string;
  readonly incarnation: Incarnation;
  /** 0..15: a server opens only epochs that are its slot modulo 16. */
  readonly slot: number;
  readonly abandoned: readonly Abandoned[];
  /** Ids of servers that did not check in before the epoch was opened. */
  readonly missingServers: readonly string[];
}

/** Kind 3: a registration entry. Its revision is not part of it; see `Registry.numberOf`. */
export interface EntryObject {
  readonly kind: "entry";
  /** Chosen by the operator or random; at most 255 characters. */
  readonly id: string;
  /** Whole, with scheme. */
  readonly spiffeId: string;
  /** Whole, with scheme; never with a live join token in it. */
  readonly parentId: string;
  readonly selectors: readonly Selector[];
  /** 0: the server's default. */
  readonly x509SvidTtlSeconds: number;
  /** 0: the server's default. */
  readonly jwtSvidTtlSeconds: number;
  /** Names of trust domains, without scheme. */
  readonly federatesWith: readonly string[];
  readonly admin: boolean;
  readonly downstream: boolean;
  /** Unix seconds; 0: never. */
  readonly expiresAtSeconds: number;
  readonly dnsNames: readonly string[];
  readonly storeSvid: boolean;
  readonly hint: string;
  /** Unix seconds. */
  readonly createdAtSeconds: number;
  /** undefined: the client said nothing of these. */
  readonly additionalAttributes:
    | { readonly disableX509SvidPrefetch: boolean; readonly jwtSvidIncludeJti: boolean }
    | undefined;
  /** Who answers for the entry: a SPIFFE ID, a team's name; empty for the server's operator. */
  readonly owner: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Kind 4: an attested node. Last seen and serials are soft state and not here. */
export interface NodeObject {
  readonly kind: "node";
  /** Agent SPIFFE ID, whole. */
  readonly spiffeId: string;
  readonly attestationType: string;
  readonly selectors: readonly Selector[];
  /** An SVID signed at a lower place is dead; undefined: any place. Kept by a later attestation. */
  readonly validFrom: Position | undefined;
  /** `banned`: blocked until deleted; `evicted`: forgotten, may attest again. */
  readonly state: "live" | "banned" | "evicted";
  readonly canReattest: boolean;
}

/** Kind 5: a join token, by its hash only. */
export interface JoinTokenObject {
  readonly kind: "joinToken";
  /** SHA-256 of the token, hexadecimal. */
  readonly tokenSha256: string;
  readonly expiresAtMs: number;
  /** SPIFFE ID that the node shall also be known by; empty: none. */
  readonly alias: string;
  /** Id of the alias entry; empty: none. */
  readonly aliasEntryId: string;
  /** undefined until the token is spent. */
  readonly spent:
    | {
        /** Agent SPIFFE ID that spent it. */
        readonly node: string;
        /** SHA-256 of the SubjectPublicKeyInfo in the CSR that spent it: the same key may repeat. */
        readonly firstKeySha256: Uint8Array;
        readonly atMs: number;
      }
    | undefined;
}

/** Kind 6: one signing authority of our own trust domain; our bundle is computed from all of these. */
export interface AuthorityObject {
  readonly kind: "authority";
  /** Hex subject key identifier of an X.509 authority, key id of a JWT authority. */
  readonly id: string;
  readonly use: "x509" | "jwt";
  /** Id of the server that holds the key. */
  readonly server: string;
  /** DER, the authority first, then what signed it; empty for JWT. */
  readonly certificateChain: readonly Uint8Array[];
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** `expired`: past its end, out of the bundle, kept to check the chains of recovering nodes. */
  readonly state: "prepared" | "active" | "old" | "tainted" | "revoked" | "expired";
  readonly preparedAtMs: number;
  /** 0 until activated. */
  readonly activatedAtMs: number;
  /** Slot of the key manager that holds the private key. */
  readonly keyId: string;
}

/** Kind 7: another trust domain's bundle as it was received. */
export interface BundleObject {
  readonly kind: "bundle";
  readonly trustDomain: string;
  /** SPIFFE bundle document, JSON. */
  readonly jwks: Uint8Array;
  readonly sequenceNumber: bigint;
  /** 0: it gave none. */
  readonly refreshHintSeconds: number;
  /** The endpoint's URL; empty: set by an operator. */
  readonly source: string;
}

/** Kind 8: where another trust domain's bundle is fetched. */
export interface FederationObject {
  readonly kind: "federation";
  readonly trustDomain: string;
  readonly bundleEndpointUrl: string;
  readonly profile: "https_web" | "https_spiffe";
  /** `https_spiffe` only; empty otherwise. */
  readonly endpointSpiffeId: string;
}

/** Kind 10: a server of this trust domain. */
export interface ServerObject {
  readonly kind: "server";
  /** Random, lies in the folder of the server's keys. */
  readonly id: string;
  /** 0..15. */
  readonly slot: number;
  readonly logKeys: readonly {
    /** SubjectPublicKeyInfo, DER. */
    readonly publicKey: Uint8Array;
    readonly state: "active" | "revoked";
  }[];
  /** Minor version of the software, such as `0.1`. */
  readonly version: string;
}

/** Kind 11: something that an operator should look at. */
export interface AlarmObject {
  readonly kind: "alarm";
  /** UUID. */
  readonly id: string;
  /** Dotted and lower case, such as `join_token.other_key`. */
  readonly code: string;
  /** Short facts without secrets. */
  readonly facts: Readonly<Record<string, string>>;
}

/** Kind 13: a setting of the whole trust domain. */
export interface SettingObject {
  readonly kind: "setting";
  readonly name: string;
  readonly value: string;
}

/** The after-image that a leaf commits to. Kinds 9, 12 and 14 get a message when they get a use. */
export type AnyObject =
  | LedgerObject
  | EpochObject
  | EntryObject
  | NodeObject
  | JoinTokenObject
  | AuthorityObject
  | BundleObject
  | FederationObject
  | ServerObject
  | AlarmObject
  | SettingObject;

/** Kinds that have an object today. */
export type ObjectKind = AnyObject["kind"];
/** The object of one kind. */
export type ObjectOf<K extends ObjectKind> = Extract<AnyObject, { readonly kind: K }>;

/** The kinds that have an object today. */
export const OBJECT_KINDS: readonly ObjectKind[] = [
  "ledger",
  "epoch",
  "entry",
  "node",
  "joinToken",
  "authority",
  "bundle",
  "federation",
  "server",
  "alarm",
  "setting",
];
const WITH_OBJECT: ReadonlySet<Kind> = new Set<Kind>(OBJECT_KINDS);

/** Whether a kind has an object that this version can decode. */
export function isObjectKind(kind: Kind | undefined): kind is ObjectKind {
  return kind !== undefined && WITH_OBJECT.has(kind);
}

/** The name of an object within its kind, which its pseudonym is made of. */
export function naturalKeyOf(object: AnyObject): string {
  switch (object.kind) {
    case "ledger":
      return "ledger";
    case "epoch":
      return `epoch/${object.epoch}`;
    case "entry":
    case "server":
    case "alarm":
      return object.id;
    case "node":
      return object.spiffeId;
    case "joinToken":
      return object.tokenSha256;
    case "authority":
      return `${object.use}/${object.id}`;
    case "bundle":
    case "federation":
      return object.trustDomain;
    default:
      return object.name;
  }
}

/** A selector as one word, `type:value`. */
export function selectorText(selector: Selector): string {
  return `${selector.type}:${selector.value}`;
}
