// @bonafide/plugin-api

export declare const APPEND_LEAVES_MAX = 8192;

export interface AppendBatch {
    readonly leaves: readonly StoredLeaf[];
    readonly nodes: readonly StoredNode[];
    readonly next: StateName;
    readonly openedIn?: Incarnation;
    readonly rows: {
        readonly put: readonly ProjectionRow[];
        readonly removed: readonly ObjectRef[];
    };
    readonly abandoned?: readonly StoredLeaf[];
}

export interface AttestedNode {
    readonly path: string;
    readonly selectors: readonly Selector[];
    readonly canReattest: boolean;
}

export interface AuthorityStore {
    list(): Promise<StoredObject<AuthorityObject>[]>;
}

export interface CallerFacts {
    readonly sessionId: ProcFact<number>;
    readonly startTicks: ProcFact<bigint>;
    readonly executableLink: ProcFact<string>;
    readonly cgroupPath: ProcFact<string>;
    readonly namespaces: Readonly<Record<NamespaceKind, ProcFact<string>>>;
}

export interface CanPublishJwtKeys {
    publishJwtKey(key: UpstreamJwtKey, options?: {
        readonly signal?: AbortSignal;
    }): Promise<readonly UpstreamJwtKey[]>;
}

export interface CanSignInProcess {
    signer(key: ManagedKey): Signer;
}

export interface EntryFilter {
    readonly spiffeId?: string;
    readonly parentId?: string;
    readonly selectors?: SetMatch;
    readonly federatesWith?: SetMatch;
    readonly hint?: string;
    readonly downstream?: boolean;
}

export interface EntryStore {
    byId(entryId: string): Promise<StoredObject<EntryObject> | undefined>;
    list(filter: EntryFilter, page: PageRequest): Promise<StoredObject<EntryObject>[]>;
    count(filter: EntryFilter): Promise<number>;
}

export interface Erasure {
    readonly n: number;
    readonly meta: boolean;
    readonly object: boolean;
}

export declare const FILTER_WORDS_MAX = 1000;

export type Grade = "boundary" | "user" | "label";

export interface Head extends StateName {
    readonly ledgerId: Uint8Array;
    readonly keySecret: Uint8Array;
    readonly openedIn: Incarnation;
}

export declare class HeldKeys {
    #private;
    begin({ signal }?: Options): void;
    put(key: ManagedKey, privateKey: KeyObject): void;
    delete(slot: string): void;
    find(slot: string, options?: Options): ManagedKey | undefined;
    list(options?: Options): readonly ManagedKey[];
    sign(key: ManagedKey, message: Uint8Array, options?: Options): Promise<Uint8Array>;
    signer(key: ManagedKey): Signer;
    end(): void;
    close(): void;
}

export declare abstract class InProcessKeyManager implements KeyManager, CanSignInProcess {
    abstract readonly name: string;
    protected readonly held: HeldKeys;
    constructor(held?: HeldKeys);
    abstract generate(slot: string, algorithm: ManagedKeyAlgorithm, options?: Options): Promise<ManagedKey>;
    find(slot: string, options?: Options): Promise<ManagedKey | undefined>;
    list(options?: Options): Promise<readonly ManagedKey[]>;
    sign(key: ManagedKey, message: Uint8Array, options?: Options): Promise<Uint8Array>;
    abstract remove(slot: string, options?: Options): Promise<void>;
    signer(key: ManagedKey): Signer;
    abstract close(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
}

export interface JoinTokenStore {
    byHash(tokenSha256: string): Promise<StoredObject<JoinTokenObject> | undefined>;
    expiredBefore(ms: number, limit: number): Promise<StoredObject<JoinTokenObject>[]>;
}

export declare const KEY_MANAGER_ERRORS: {
    readonly KEY_SLOT_INVALID: {
        readonly status: "invalid_argument";
        readonly retry: false;
    };
    readonly KEY_NOT_FOUND: {
        readonly status: "not_found";
        readonly retry: false;
    };
    readonly KEY_STORE_CORRUPT: {
        readonly status: "data_loss";
        readonly retry: false;
    };
    readonly KEY_STORE_UNSAFE: {
        readonly status: "failed_precondition";
        readonly retry: false;
    };
    readonly KEY_STORE_UNAVAILABLE: {
        readonly status: "unavailable";
        readonly retry: true;
    };
    readonly KEY_MANAGER_CLOSED: {
        readonly status: "failed_precondition";
        readonly retry: false;
    };
};

export interface KeyManager extends AsyncDisposable {
    readonly name: string;
    generate(slot: string, algorithm: ManagedKeyAlgorithm, options?: {
        readonly signal?: AbortSignal;
    }): Promise<ManagedKey>;
    find(slot: string, options?: {
        readonly signal?: AbortSignal;
    }): Promise<ManagedKey | undefined>;
    list(options?: {
        readonly signal?: AbortSignal;
    }): Promise<readonly ManagedKey[]>;
    sign(key: ManagedKey, message: Uint8Array, options?: {
        readonly signal?: AbortSignal;
    }): Promise<Uint8Array>;
    remove(slot: string, options?: {
        readonly signal?: AbortSignal;
    }): Promise<void>;
    close(): Promise<void>;
}

export interface LedgerStore {
    head(): Promise<Head>;
    incarnation(): Promise<Incarnation & {
        readonly inRecovery: boolean;
    }>;
    leavesAfter(n: number, limit: number): Promise<StoredLeaf[]>;
    nodes(level: number, from: number, to: number): Promise<StoredNode[]>;
    append(expected: Head, batch: AppendBatch): Promise<"appended" | "moved">;
    erase(erasures: readonly Erasure[]): Promise<void>;
    watch(wake: () => void): () => void;
}

export interface ManagedKey {
    readonly slot: string;
    readonly algorithm: ManagedKeyAlgorithm;
    readonly spki: Uint8Array;
}

export type ManagedKeyAlgorithm = "ec-p256" | "ed25519";

export interface MintRequest {
    readonly csr: Uint8Array;
    readonly ttlMs: number;
}

export interface MintedAuthority {
    readonly chain: readonly Uint8Array[];
    readonly roots: readonly UpstreamRoot[];
}

export declare const NODE_ATTESTOR_ERRORS: {
    readonly NODE_ATTESTOR_MISCONFIGURED: {
        readonly status: "failed_precondition";
        readonly retry: false;
    };
    readonly NODE_EVIDENCE_REFUSED: {
        readonly status: "invalid_argument";
        readonly retry: false;
    };
    readonly NODE_CHALLENGE_INVALID: {
        readonly status: "internal";
        readonly retry: true;
    };
};

export type NamespaceKind = "user" | "pid" | "mnt";

export interface NodeAttestation {
    readonly trustDomain: string;
    readonly authorities: readonly Certificate[];
    readonly now: EpochMs;
    readonly signal: AbortSignal;
    readonly challenge: (bytes: Uint8Array) => Promise<Uint8Array>;
}

export interface NodeAttestor {
    readonly name: string;
    attest(payload: Uint8Array, attestation: NodeAttestation): Promise<AttestedNode>;
}

export interface NodeFilter {
    readonly attestationType?: string;
    readonly selectors?: SetMatch;
    readonly banned?: boolean;
    readonly canReattest?: boolean;
    readonly expiresBeforeMs?: number;
}

export interface NodeProof {
    readonly payload: Uint8Array;
    readonly answer: (challenge: Uint8Array) => Promise<Uint8Array>;
}

export interface NodeProver {
    readonly name: string;
    begin(options: {
        readonly signal: AbortSignal;
    }): Promise<NodeProof>;
}

export interface NodeSoftState {
    readonly spiffeId: string;
    readonly lastSeenAtMs: number;
    readonly serialNumber: string;
    readonly expiresAtMs: number;
    readonly agentVersion: string;
}

export interface NodeStore {
    byId(spiffeId: string): Promise<StoredNodeObject | undefined>;
    list(filter: NodeFilter, page: PageRequest): Promise<StoredNodeObject[]>;
    count(filter: NodeFilter): Promise<number>;
}

export interface ObjectRef {
    readonly kindNumber: number;
    readonly key: Uint8Array;
}

export interface ObservedSelector {
    readonly type: string;
    readonly value: string;
    readonly grade: Grade;
    readonly source: string;
}

export type OmissionReason = "attestor.not_readable" | "attestor.selector_disabled" | "attestor.binary_replaced" | "attestor.foreign_namespace" | "attestor.name_unresolved" | "attestor.too_large" | "attestor.timed_out" | "attestor.not_locked" | "attestor.caller_is_root" | "attestor.not_wanted" | "attestor.unsupported" | "attestor.failed";

export interface OmittedFact {
    readonly fact: string;
    readonly reason: OmissionReason;
    readonly text: string;
}

export declare const PAGE_MAX = 10000;

export interface PageRequest {
    readonly afterFirstN: number;
    readonly limit: number;
}

export type ProcFact<T> = {
    readonly kind: "read";
    readonly value: T;
} | {
    readonly kind: "unreadable";
    readonly errno: string;
};

export interface ProjectionStore {
    rowsAfter(after: ObjectRef | undefined, limit: number): Promise<ProjectionRow[]>;
}

export declare const SOFT_STATES_MAX = 10000;

export declare const STORE_ERRORS: {
    readonly STORE_READ_ONLY: {
        readonly status: "unavailable";
        readonly retry: true;
    };
    readonly STORE_FULL: {
        readonly status: "unavailable";
        readonly retry: true;
    };
    readonly STORE_UNAVAILABLE: {
        readonly status: "unavailable";
        readonly retry: true;
    };
    readonly STORE_UNKNOWN_OUTCOME: {
        readonly status: "unavailable";
        readonly retry: true;
    };
    readonly STORE_CORRUPT: {
        readonly status: "data_loss";
        readonly retry: false;
    };
    readonly STORE_REPLACED: {
        readonly status: "unavailable";
        readonly retry: true;
    };
    readonly STORE_CHANGED_OUTSIDE: {
        readonly status: "unavailable";
        readonly retry: true;
    };
    readonly STORE_LOCKED: {
        readonly status: "failed_precondition";
        readonly retry: false;
    };
    readonly STORE_SCHEMA_UNKNOWN: {
        readonly status: "failed_precondition";
        readonly retry: false;
    };
    readonly STORE_CLOSED: {
        readonly status: "unavailable";
        readonly retry: false;
    };
    readonly STORE_ARGUMENT: {
        readonly status: "invalid_argument";
        readonly retry: false;
    };
    readonly STORE_ERASE_LIVE: {
        readonly status: "failed_precondition";
        readonly retry: false;
    };
};

export interface SetMatch {
    readonly match: "exact" | "subset" | "superset" | "any";
    readonly words: readonly string[];
}

export interface SoftStateStore {
    upsertNodes(states: readonly NodeSoftState[]): Promise<void>;
    nodesAfter(spiffeId: string, limit: number): Promise<NodeSoftState[]>;
}

export interface Store {
    readonly ledger: LedgerStore;
    readonly entries: EntryStore;
    readonly nodes: NodeStore;
    readonly joinTokens: JoinTokenStore;
    readonly authorities: AuthorityStore;
    readonly soft: SoftStateStore;
    readonly projections: ProjectionStore;
    reopen(): Promise<void>;
    close(): Promise<void>;
}

export type StoreErrorCode = keyof typeof STORE_ERRORS;

export interface StoredLeaf {
    readonly leaf: Uint8Array;
    readonly body: Uint8Array;
}

export interface StoredNode {
    readonly level: number;
    readonly index: number;
    readonly hash: Uint8Array;
}

export interface StoredNodeObject extends StoredObject<NodeObject> {
    readonly soft: NodeSoftState | undefined;
}

export interface StoredObject<T> {
    readonly object: T;
    readonly epoch: number;
    readonly n: number;
    readonly firstN: number;
}

export declare const UPSTREAM_AUTHORITY_ERRORS: {
    readonly UPSTREAM_AUTHORITY_INVALID: {
        readonly status: "failed_precondition";
        readonly retry: true;
    };
    readonly UPSTREAM_AUTHORITY_UNAVAILABLE: {
        readonly status: "unavailable";
        readonly retry: true;
    };
    readonly UPSTREAM_AUTHORITY_REFUSED: {
        readonly status: "failed_precondition";
        readonly retry: true;
    };
    readonly UPSTREAM_AUTHORITY_CLOSED: {
        readonly status: "failed_precondition";
        readonly retry: false;
    };
};

export interface UpstreamAuthority extends AsyncDisposable {
    readonly name: string;
    mint(request: MintRequest, options?: {
        readonly signal?: AbortSignal;
    }): Promise<MintedAuthority>;
    bundle(options?: {
        readonly signal?: AbortSignal;
    }): Promise<UpstreamBundle>;
    close(): Promise<void>;
}

export interface UpstreamBundle {
    readonly roots: readonly UpstreamRoot[];
    readonly jwtKeys: readonly UpstreamJwtKey[];
    readonly sequenceNumber: bigint | undefined;
    readonly isWhole: boolean;
}

export interface UpstreamJwtKey {
    readonly keyId: string;
    readonly publicKey: Uint8Array;
    readonly expiresAt: number;
    readonly tainted: boolean;
}

export interface UpstreamRoot {
    readonly certificate: Uint8Array;
    readonly tainted: boolean;
}

export interface WorkloadAttestor {
    readonly name: string;
    attest(caller: WorkloadCaller, options: {
        readonly signal: AbortSignal;
    }): Promise<WorkloadFacts>;
}

export interface WorkloadCaller {
    readonly pid: number;
    readonly uid: number;
    readonly gid: number;
    readonly groups: readonly number[];
    readonly pidfdInode: bigint | undefined;
    readonly facts: CallerFacts;
    readonly cgroupId: bigint | undefined;
    procPath(name: string): string | undefined;
}

export interface WorkloadFacts {
    readonly selectors: readonly ObservedSelector[];
    readonly omitted: readonly OmittedFact[];
}

export declare function canPublishJwtKeys(upstream: UpstreamAuthority): upstream is UpstreamAuthority & CanPublishJwtKeys;

export declare function canSignInProcess(manager: KeyManager): manager is KeyManager & CanSignInProcess;

export declare function checkBatch(expected: Head, batch: AppendBatch): void;

export declare function checkFilter(filter: EntryFilter | NodeFilter): void;

export declare function checkKeySlot(slot: string): void;

export declare function checkLimit(limit: number): void;

export declare function checkSoftStates(states: readonly unknown[]): void;

export declare function isKeySlot(text: string): boolean;

export declare function isSameManagedKey(a: ManagedKey, b: ManagedKey): boolean;

export declare function readStoredObject<K extends ObjectKind>(kind: K, stored: StoredLeaf | undefined, firstN: number): StoredObject<ObjectOf<K>>;

// @bonafide/plugin-api/testing

export interface DatabaseState {
    readonly head: Head;
    readonly leaves: readonly StoredLeaf[];
    readonly nodes: ReadonlyMap<string, Uint8Array>;
    readonly rows: ReadonlyMap<string, ProjectionRow>;
    readonly soft: ReadonlyMap<string, NodeSoftState>;
    readonly abandoned: readonly StoredLeaf[];
}

export declare class LeafWriter {
    #private;
    constructor(head: Head);
    get head(): Head;
    ref(kind: ObjectKind, naturalKey: string): ObjectRef;
    batch(changes: readonly (AnyObject | readonly [kind: ObjectKind, naturalKey: string])[], opens?: {
        readonly epoch: number;
        readonly openedIn: Incarnation;
    }): {
        readonly expected: Head;
        readonly batch: AppendBatch;
    };
}

export declare class MemoryDatabase {
    state: DatabaseState;
    incarnation: Incarnation;
    inRecovery: boolean;
    readOnly: boolean;
    edits: number;
    readonly watchers: Set<() => void>;
    constructor();
    backup(): DatabaseState;
    restore(backup: DatabaseState): void;
    restoreElsewhere(backup: DatabaseState): void;
    promote(backup?: DatabaseState): void;
    editLeaf(n: number, edit: (stored: StoredLeaf) => StoredLeaf): void;
    editRow(kindNumber: number, key: Uint8Array, edit: (row: ProjectionRow) => ProjectionRow | undefined): void;
    static retime(stored: StoredLeaf): StoredLeaf;
}

export interface MemoryStore extends Store {
    readonly database: MemoryDatabase;
    failNext(code: StoreErrorCode, on?: "any" | "append"): void;
    loseNextCommit(): void;
    beforeNextAppend(act: () => Promise<void>): void;
    readonly appends: number;
}

export interface MemoryUpstreamAuthority extends UpstreamAuthority, CanPublishJwtKeys {
    readonly root: Uint8Array;
    rotate(): Uint8Array;
    taint(root: Uint8Array): void;
    revoke(root: Uint8Array): void;
    revokeJwtKey(keyId: string): void;
    isAway: boolean;
}

export interface NodeAttestorUnderTest extends Disposable {
    readonly attestor: NodeAttestor;
    readonly prover: NodeProver;
    readonly trustDomain: string;
    readonly authorities?: readonly Certificate[];
}

export interface StoreUnderTest {
    readonly store: Store;
    readonly dispose: () => Promise<void>;
}

export interface UpstreamUnderTest extends AsyncDisposable {
    readonly upstream: UpstreamAuthority;
    readonly trustDomain: string;
    readonly now: number;
}

export declare function keyManagerContract(name: string, open: () => Promise<KeyManager>): void;

export declare function makeWorkloadCaller(given?: Partial<WorkloadCaller>): WorkloadCaller;

export declare function nodeAttestorContract(name: string, open: () => Promise<NodeAttestorUnderTest>): void;

export declare function openMemoryKeyManager(): KeyManager & CanSignInProcess;

export declare function openMemoryStore(database?: MemoryDatabase): MemoryStore;

export declare function openMemoryUpstream(trustDomain: string, now: () => number): MemoryUpstreamAuthority;

export declare function storeContract(name: string, open: () => Promise<StoreUnderTest>): void;

export declare function upstreamAuthorityContract(name: string, open: () => Promise<UpstreamUnderTest>): void;

export declare function workloadAttestorContract(name: string, open: () => Promise<WorkloadAttestor & Partial<AsyncDisposable>>, callers?: readonly WorkloadCaller[]): void;
