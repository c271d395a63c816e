// @bonafide/ledger

export interface Abandoned {
    readonly newest: StateName;
    readonly leafHashes: readonly Uint8Array[];
}

export type Actor = {
    readonly via: string;
} & ({
    readonly spiffeId: string;
} | {
    readonly uid: number;
} | {
    readonly server: string;
} | {
    readonly person: string;
});

export interface AlarmObject {
    readonly kind: "alarm";
    readonly id: string;
    readonly code: string;
    readonly facts: Readonly<Record<string, string>>;
}

export type AnyObject = LedgerObject | EpochObject | EntryObject | NodeObject | JoinTokenObject | AuthorityObject | BundleObject | FederationObject | ServerObject | AlarmObject | SettingObject;

export interface AuthorityObject {
    readonly kind: "authority";
    readonly id: string;
    readonly use: "x509" | "jwt";
    readonly server: string;
    readonly certificateChain: readonly Uint8Array[];
    readonly publicKey: Uint8Array;
    readonly notBeforeMs: number;
    readonly notAfterMs: number;
    readonly state: "prepared" | "active" | "old" | "tainted" | "revoked" | "expired";
    readonly preparedAtMs: number;
    readonly activatedAtMs: number;
    readonly keyId: string;
}

export interface Body {
    readonly meta: BodyPart;
    readonly object: BodyPart;
}

export type BodyPart = {
    readonly salted: Uint8Array;
} | {
    readonly erasedHash: Uint8Array;
};

export interface BundleObject {
    readonly kind: "bundle";
    readonly trustDomain: string;
    readonly jwks: Uint8Array;
    readonly sequenceNumber: bigint;
    readonly refreshHintSeconds: number;
    readonly source: string;
}

export declare class CompactRange {
    #private;
    static from(size: number, subtree: (ref: SubtreeRef) => Uint8Array): CompactRange;
    get size(): number;
    clone(): CompactRange;
    append(hashOfLeaf: Uint8Array, onSubtree?: (ref: SubtreeRef, hash: Uint8Array) => void): void;
    root(): Uint8Array;
}

export interface ConsistencyProof {
    readonly first: number;
    readonly second: number;
    readonly firstRoot: Uint8Array;
    readonly secondRoot: Uint8Array;
    readonly path: readonly Uint8Array[];
}

export declare const EMPTY_ROOT: Uint8Array;

export declare const EPOCH_MAX = 131071;

export declare const EXPORT_FORMAT = "bonafide-ledger-export-1";

export interface EntryObject {
    readonly kind: "entry";
    readonly id: string;
    readonly spiffeId: string;
    readonly parentId: string;
    readonly selectors: readonly Selector[];
    readonly x509SvidTtlSeconds: number;
    readonly jwtSvidTtlSeconds: number;
    readonly federatesWith: readonly string[];
    readonly admin: boolean;
    readonly downstream: boolean;
    readonly expiresAtSeconds: number;
    readonly dnsNames: readonly string[];
    readonly storeSvid: boolean;
    readonly hint: string;
    readonly createdAtSeconds: number;
    readonly additionalAttributes: {
        readonly disableX509SvidPrefetch: boolean;
        readonly jwtSvidIncludeJti: boolean;
    } | undefined;
    readonly owner: string;
    readonly labels: Readonly<Record<string, string>>;
}

export interface EpochObject {
    readonly kind: "epoch";
    readonly epoch: number;
    readonly openedAfter: StateName | undefined;
    readonly cause: string;
    readonly incarnation: Incarnation;
    readonly slot: number;
    readonly abandoned: readonly Abandoned[];
    readonly missingServers: readonly string[];
}

export declare const FAULTS_MAX = 1000;

export interface Fault {
    readonly code: FaultCode;
    readonly n: number;
    readonly text: string;
}

export type FaultCode =
"leaf.malformed"
 | "leaf.gap"
 | "leaf.prev"
 | "epoch.unopened"
 | "epoch.misplaced"
 | "ledger.misplaced"
 | "body.malformed"
 | "body.commitment"
 | "key.differs"
 | "node.differs"
 | "head.differs"
 | "row.missing"
 | "row.stray"
 | "row.differs"
 | "leaf.too-new";

export interface FederationObject {
    readonly kind: "federation";
    readonly trustDomain: string;
    readonly bundleEndpointUrl: string;
    readonly profile: "https_web" | "https_spiffe";
    readonly endpointSpiffeId: string;
}

export declare const HASH_BYTES = 32;

export interface Incarnation {
    readonly system: string;
    readonly timeline: number;
}

export interface InclusionProof {
    readonly index: number;
    readonly size: number;
    readonly hash: Uint8Array;
    readonly path: readonly Uint8Array[];
    readonly root: Uint8Array;
}

export interface JoinTokenObject {
    readonly kind: "joinToken";
    readonly tokenSha256: string;
    readonly expiresAtMs: number;
    readonly alias: string;
    readonly aliasEntryId: string;
    readonly spent: {
        readonly node: string;
        readonly firstKeySha256: Uint8Array;
        readonly atMs: number;
    } | undefined;
}

export declare const KEY_BYTES = 16;

export declare const KINDS: {
    readonly ledger: 1;
    readonly epoch: 2;
    readonly entry: 3;
    readonly node: 4;
    readonly joinToken: 5;
    readonly authority: 6;
    readonly bundle: 7;
    readonly federation: 8;
    readonly grant: 9;
    readonly server: 10;
    readonly alarm: 11;
    readonly rule: 12;
    readonly setting: 13;
    readonly policy: 14;
};

export declare const KNOWN_SCHEMAS: Readonly<Record<Kind, number>>;

export type Kind = keyof typeof KINDS;

export type KindNumber = (typeof KINDS)[Kind];

export declare const LEAF_BYTES = 80;

export declare const LEDGER_ERRORS: {
    readonly LEAF_MALFORMED: {
        readonly status: "data_loss";
        readonly retry: false;
    };
    readonly LEAF_FORMAT_UNKNOWN: {
        readonly status: "failed_precondition";
        readonly retry: false;
    };
    readonly BODY_MALFORMED: {
        readonly status: "data_loss";
        readonly retry: false;
    };
    readonly LEDGER_NUMBER_RANGE: {
        readonly status: "out_of_range";
        readonly retry: false;
    };
    readonly PROOF_RANGE: {
        readonly status: "out_of_range";
        readonly retry: false;
    };
    readonly LEDGER_FORKED: {
        readonly status: "data_loss";
        readonly retry: false;
    };
    readonly LEDGER_TOO_NEW: {
        readonly status: "failed_precondition";
        readonly retry: false;
    };
};

export interface Leaf {
    readonly kind: number;
    readonly needs: number;
    readonly tombstone: boolean;
    readonly reappended: boolean;
    readonly epoch: number;
    readonly n: number;
    readonly time: number;
    readonly prev: number;
    readonly key: Uint8Array;
    readonly commitment: Uint8Array;
}

export interface LeafRange {
    readonly from: number;
    readonly to: number;
}

export type LedgerErrorCode = keyof typeof LEDGER_ERRORS;

export interface LedgerObject {
    readonly kind: "ledger";
    readonly ledgerId: string;
    readonly trustDomain: string;
}

export interface Meta {
    readonly actor: Actor | undefined;
    readonly cause: string;
    readonly settles: readonly Settled[];
    readonly requestId: Uint8Array;
    readonly schema: number;
}

export declare const NAMED_LEAVES_MAX = 4096;

export declare const N_MAX: number;

export interface NodeObject {
    readonly kind: "node";
    readonly spiffeId: string;
    readonly attestationType: string;
    readonly selectors: readonly Selector[];
    readonly validFrom: Position | undefined;
    readonly state: "live" | "banned" | "evicted";
    readonly canReattest: boolean;
}

export declare const OBJECT_KINDS: readonly ObjectKind[];

export type ObjectKind = AnyObject["kind"];

export type ObjectOf<K extends ObjectKind> = Extract<AnyObject, {
    readonly kind: K;
}>;

export declare const PART_BYTES_MAX: number;

export interface Position {
    readonly epoch: number;
    readonly n: number;
}

export interface ProjectionRow {
    readonly kindNumber: number;
    readonly key: Uint8Array;
    readonly n: number;
    readonly firstN: number;
    readonly columns: RowColumns;
}

export type RowColumns = {
    readonly kind: "entry";
    readonly entryId: string;
    readonly spiffeId: string;
    readonly parentId: string;
    readonly selectors: readonly string[];
    readonly federatesWith: readonly string[];
    readonly hint: string;
    readonly downstream: boolean;
} | {
    readonly kind: "node";
    readonly spiffeId: string;
    readonly attestationType: string;
    readonly selectors: readonly string[];
    readonly state: "live" | "banned" | "evicted";
    readonly canReattest: boolean;
} | {
    readonly kind: "joinToken";
    readonly tokenSha256: string;
    readonly expiresAtMs: number;
    readonly spent: boolean;
} | {
    readonly kind: "other";
    readonly naturalKey: string;
};

export declare const SALT_BYTES = 16;

export interface Selector {
    readonly type: string;
    readonly value: string;
}

export interface ServerObject {
    readonly kind: "server";
    readonly id: string;
    readonly slot: number;
    readonly logKeys: readonly {
        readonly publicKey: Uint8Array;
        readonly state: "active" | "revoked";
    }[];
    readonly version: string;
}

export interface SettingObject {
    readonly kind: "setting";
    readonly name: string;
    readonly value: string;
}

export interface Settled extends Position {
    readonly leafHash: Uint8Array;
}

export interface StateName extends Position {
    readonly root: Uint8Array;
}

export interface SubtreeRef {
    readonly level: number;
    readonly index: number;
}

export interface VerifyInput {
    readonly head: StateName;
    readonly leaves: AsyncIterable<{
        readonly leaf: Uint8Array;
        readonly body: Uint8Array;
    }>;
    readonly rows?: AsyncIterable<ProjectionRow>;
    readonly nodes?: AsyncIterable<{
        readonly level: number;
        readonly index: number;
        readonly hash: Uint8Array;
    }>;
    readonly keySecret?: Uint8Array;
}

export interface VerifyReport {
    readonly leaves: number;
    readonly erasedParts: number;
    readonly root: Uint8Array;
    readonly faults: readonly Fault[];
    readonly faultCount: number;
}

export declare function columnsOf(object: AnyObject): RowColumns;

export declare function columnsText(columns: RowColumns): string;

export declare function commit(body: Body): Uint8Array;

export declare function comparePositions(a: Position, b: Position): number;

export declare function consistencyPath(first: number, second: number): LeafRange[];

export declare function decodeBody(bytes: Uint8Array): Body;

export declare function decodeLeaf(bytes: Uint8Array): Leaf;

export declare function decodeMeta(bytes: Uint8Array): Meta;

export declare function decodeObject(kind: ObjectKind, bytes: Uint8Array, place: {
    readonly epoch: number;
}): AnyObject;

export declare function decompose(from: number, to: number): SubtreeRef[];

export declare function encodeBody(body: Body): Uint8Array;

export declare function encodeLeaf(leaf: Leaf): Uint8Array;

export declare function encodeMeta(meta: Meta): Uint8Array;

export declare function encodeObject(object: AnyObject): Uint8Array;

export declare function equalBytes(a: Uint8Array, b: Uint8Array): boolean;

export declare function erasePart(part: BodyPart): BodyPart;

export declare function exportLines(input: {
    readonly head: StateName & {
        readonly ledgerId: Uint8Array;
    };
    readonly leaves: AsyncIterable<{
        readonly leaf: Uint8Array;
        readonly body: Uint8Array;
    }>;
    readonly rows: AsyncIterable<ProjectionRow>;
}): AsyncGenerator<string, void, void>;

export declare function flooredNumber(own: Position, floor: Position): number;

export declare function fromHex(text: string): Uint8Array;

export declare function inclusionPath(index: number, size: number): LeafRange[];

export declare function isDenial(object: AnyObject | undefined, before: AnyObject | undefined): boolean;

export declare function isObjectKind(kind: Kind | undefined): kind is ObjectKind;

export declare function isStoredLevel(level: number): boolean;

export declare function kindName(number: number): Kind | undefined;

export declare function leafHash(leaf: Uint8Array): Uint8Array;

export declare function naturalKeyOf(object: AnyObject): string;

export declare function needsOf(kindOfLeaf: Kind): number;

export declare function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array;

export declare function objectKey(secret: Uint8Array, kind: number, naturalKey: string): Uint8Array;

export declare function objectName(kind: number, key: Uint8Array): string;

export declare function parseWireNumber(value: number): Position;

export declare function partBytes(part: BodyPart): Uint8Array | undefined;

export declare function partHash(part: BodyPart): Uint8Array;

export declare function rangeHash(range: LeafRange, subtree: (ref: SubtreeRef) => Uint8Array): Uint8Array;

export declare function saltPart(bytes: Uint8Array): BodyPart;

export declare function sameState(a: StateName, b: StateName): boolean;

export declare function selectorText(selector: Selector): string;

export declare function sha256(bytes: Uint8Array): Uint8Array;

export declare function subtreeFrom(stored: (ref: SubtreeRef) => Uint8Array | undefined): (ref: SubtreeRef) => Uint8Array;

export declare function toHex(bytes: Uint8Array): string;

export declare function understanding(leaf: {
    readonly kind: number;
    readonly needs: number;
}): "adopt" | "skip" | "too-new";

export declare function verifyConsistency(proof: ConsistencyProof): boolean;

export declare function verifyInclusion(proof: InclusionProof): boolean;

export declare function verifyLedger(input: VerifyInput): Promise<VerifyReport>;

export declare function wireNumber(position: Position): number;
