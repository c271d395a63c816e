// @bonafide/spiffe

export interface Authorizer {
    readonly rule: string;
    admits(peer: VerifiedX509Svid): boolean;
}

export { BonafideError } from "@bonafide/errors";

export interface ClosableClient {
    close(): void;
    waitForReady(deadline: Date | number, callback: (error?: Error) => void): void;
}

export declare const ENDPOINT_VARIABLE = "SPIFFE_ENDPOINT_SOCKET";

export type EndpointAddress = {
    readonly kind: "unix";
    readonly path: string;
} | {
    readonly kind: "tcp";
    readonly host: string;
    readonly port: number;
};

export interface FileSourceOptions {
    readonly files: string | IdentityFiles;
    readonly onProblem?: (error: BonafideError) => void;
    readonly pollMs?: number;
    readonly settleMs?: number;
    readonly clock?: Clock;
}

export interface FollowingOptions {
    readonly onProblem?: (error: BonafideError) => void;
    readonly clock?: Clock;
    readonly random?: Random;
}

export type GrpcAcceptorOptions = Omit<TlsAcceptorOptions, "alpn">;

export interface HttpsAgentOptions extends TlsConnectorOptions {
    readonly agent?: Pick<AgentOptions, "keepAlive" | "keepAliveMsecs" | "maxSockets" | "maxTotalSockets" | "maxFreeSockets" | "timeout">;
}

export interface HttpsServer extends TlsAcceptor {
    readonly http: Server;
}

export interface HttpsServerOptions extends Omit<TlsAcceptorOptions, "alpn"> {
    readonly http?: ServerOptions;
}

export interface IdentityFiles {
    readonly certificate: string;
    readonly key: string;
    readonly authorities: string;
}

export type JsonArray = readonly JsonValue[];

export type JsonObject = ReadonlyMap<string, JsonValue>;

export type JsonValue = null | boolean | number | bigint | string | JsonArray | JsonObject;

export interface JwtBundle {
    readonly trustDomain: TrustDomain;
    readonly keys: ReadonlyMap<string, KeyObject>;
    readonly revision: string;
}

export type JwtBundleSet = ReadonlyMap<TrustDomain, JwtBundle>;

export declare class JwtSource implements AsyncDisposable {
    #private;
    constructor(deps: JwtSourceDeps, options: {
        readonly clock: Clock;
        readonly id: string | undefined;
    });
    bundles(): JwtBundleSet;
    fetch(audience: string, options?: {
        readonly signal?: AbortSignal;
    }): Promise<JwtSvid>;
    verify(token: string, options: {
        readonly audience: string | readonly string[];
    }): VerifiedJwtSvid;
    close(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
}

export interface JwtSourceOptions extends WorkloadApiOptions, FollowingOptions {
    readonly id?: string;
}

export interface JwtSvid extends JwtSvidFacts {
    readonly token: string;
    readonly keyId: string;
    readonly hint: string;
}

export interface JwtSvidFacts {
    readonly id: SpiffeId;
    readonly trustDomain: TrustDomain;
    readonly audience: readonly string[];
    readonly expiresAt: EpochMs;
    readonly issuedAt: EpochMs | undefined;
    readonly notBefore: EpochMs | undefined;
    readonly claims: JsonObject;
}

export interface JwtSvidSource {
    fetch(audience: string, options?: {
        readonly signal?: AbortSignal;
    }): Promise<JwtSvid>;
    verify(token: string, options: {
        readonly audience: string | readonly string[];
    }): VerifiedJwtSvid;
}

export interface JwtSvidTemplate {
    readonly id: SpiffeId;
    readonly audience: readonly string[];
    readonly issuedAt: EpochMs;
    readonly expiresAt: EpochMs;
    readonly issuer?: string;
    readonly tokenId?: string;
}

export interface ParseSpiffeIdOptions {
    readonly lengthMax?: number;
}

export declare const REFRESH_HINT_SECONDS_DEFAULT = 300;

export interface ReadX509ContextOptions {
    readonly hint?: string;
}

export interface Refusal {
    readonly error: BonafideError;
    readonly remoteAddress: string | undefined;
}

export interface RotatingGrpcClient<C> extends AsyncDisposable {
    readonly current: C;
    close(): Promise<void>;
}

export interface RotatingGrpcClientOptions<C extends ClosableClient> extends TlsConnectorOptions {
    readonly open: (credentials: ChannelCredentials) => C;
    readonly readyMs?: number;
    readonly graceMs?: number;
}

export declare const SPIFFE_ERRORS: {
    readonly SPIFFE_ID_INVALID: {
        readonly status: "invalid_argument";
        readonly retry: false;
    };
    readonly TRUST_DOMAIN_INVALID: {
        readonly status: "invalid_argument";
        readonly retry: false;
    };
    readonly BUNDLE_MALFORMED: {
        readonly status: "invalid_argument";
        readonly retry: false;
    };
    readonly BUNDLE_NOT_FOUND: {
        readonly status: "not_found";
        readonly retry: true;
    };
    readonly X509_SVID_INVALID: {
        readonly status: "unauthenticated";
        readonly retry: false;
    };
    readonly X509_SVID_UNTRUSTED: {
        readonly status: "unauthenticated";
        readonly retry: false;
    };
    readonly JWT_SVID_INVALID: {
        readonly status: "unauthenticated";
        readonly retry: false;
    };
    readonly JWT_SVID_UNTRUSTED: {
        readonly status: "unauthenticated";
        readonly retry: false;
    };
    readonly JWT_SVID_UNSIGNABLE: {
        readonly status: "invalid_argument";
        readonly retry: false;
    };
    readonly BEARER_MISSING: {
        readonly status: "unauthenticated";
        readonly retry: false;
    };
    readonly BEARER_EXPOSED: {
        readonly status: "failed_precondition";
        readonly retry: false;
    };
    readonly PEER_ANONYMOUS: {
        readonly status: "unauthenticated";
        readonly retry: false;
    };
    readonly PEER_NOT_AUTHORIZED: {
        readonly status: "permission_denied";
        readonly retry: false;
    };
    readonly TLS_SESSION_RESUMED: {
        readonly status: "unauthenticated";
        readonly retry: false;
    };
    readonly TLS_PROTOCOL_MISMATCH: {
        readonly status: "unavailable";
        readonly retry: false;
    };
    readonly TLS_HANDSHAKE_FAILED: {
        readonly status: "unavailable";
        readonly retry: true;
    };
    readonly LISTEN_FAILED: {
        readonly status: "unavailable";
        readonly retry: true;
    };
    readonly ENDPOINT_ADDRESS_INVALID: {
        readonly status: "invalid_argument";
        readonly retry: false;
    };
    readonly ENDPOINT_ADDRESS_MISSING: {
        readonly status: "failed_precondition";
        readonly retry: false;
    };
    readonly WORKLOAD_API_RESPONSE_INVALID: {
        readonly status: "internal";
        readonly retry: true;
    };
    readonly NO_IDENTITY_ISSUED: {
        readonly status: "permission_denied";
        readonly retry: true;
    };
    readonly HINT_NOT_FOUND: {
        readonly status: "not_found";
        readonly retry: true;
    };
    readonly IDENTITY_FILES_INVALID: {
        readonly status: "failed_precondition";
        readonly retry: true;
    };
    readonly SOURCE_CLOSED: {
        readonly status: "failed_precondition";
        readonly retry: false;
    };
};

export interface SharedKey {
    readonly trustDomains: readonly [TrustDomain, TrustDomain];
    readonly spkiHex: string;
}

export interface SourceOptions extends X509SourceOptions, Omit<FileSourceOptions, "files"> {
    readonly files?: FileSourceOptions["files"];
}

export interface SpiffeBundle {
    readonly trustDomain: TrustDomain;
    readonly sequence: bigint | undefined;
    readonly refreshHintSeconds: number | undefined;
    readonly x509: X509Bundle;
    readonly jwtAuthorities: readonly TokenAuthority[];
    readonly witAuthorities: readonly TokenAuthority[];
}

export type SpiffeErrorCode = keyof typeof SPIFFE_ERRORS;

export type SpiffeId = string & {
    readonly [brand]: "SpiffeId";
};

export type SpiffeIdFault = "scheme" | "trust-domain-empty" | "trust-domain-character" | "trust-domain-too-long" | "path-character" | "empty-segment" | "dot-segment" | "trailing-slash" | "too-long";

export type TakeConnection<Peer> = (socket: TLSSocket, peer: Peer) => TakenConnection | undefined | void;

export interface TakenConnection {
    retire(): void;
}

export interface TlsAcceptor extends AsyncDisposable {
    listen(options: ListenOptions): Promise<number>;
    readonly connections: number;
    retireAll(): void;
    close(): Promise<void>;
}

export interface TlsAcceptorOptions {
    readonly source: X509ContextSource;
    readonly authorize: Authorizer;
    readonly alpn: readonly string[];
    readonly onRefused?: (refusal: Refusal) => void;
    readonly handshakeTimeoutMs?: number;
    readonly connectionsMax?: number;
    readonly connectionLifetimeMs?: number;
    readonly retireMs?: number;
    readonly backlog?: number;
    readonly clock?: Clock;
}

export interface TlsConnector extends AsyncDisposable {
    connect(target: TlsTarget, options?: {
        readonly alpn?: readonly string[];
        readonly signal?: AbortSignal;
    }): Promise<VerifiedConnection>;
    close(): Promise<void>;
}

export interface TlsConnectorOptions {
    readonly source: X509ContextSource;
    readonly authorize: Authorizer;
    readonly anonymous?: boolean;
    readonly handshakeTimeoutMs?: number;
    readonly clock?: Clock;
}

export type TlsTarget = {
    readonly host: string;
    readonly port: number;
} | {
    readonly path: string;
}
 | {
    readonly socket: Socket;
    readonly host?: string;
};

export interface TokenAuthority {
    readonly keyId: string;
    readonly publicKey: KeyObject;
}

export type TrustDomain = string & {
    readonly [brand]: "TrustDomain";
};

export type TrustDomainFault = "empty" | "too-long" | "character";

export type UndiciConnect = (options: {
    readonly hostname: string;
    readonly port?: string;
}, callback: (error: Error | null, socket: TLSSocket | null) => void) => void;

export interface VerifiedConnection {
    readonly socket: TLSSocket;
    readonly peer: VerifiedPeer;
}

export declare class VerifiedJwtSvid implements JwtSvidFacts {
    #private;
    private constructor();
    get id(): SpiffeId;
    get spiffeId(): SpiffeId;
    get trustDomain(): JwtSvidFacts["trustDomain"];
    get audience(): readonly string[];
    get expiresAt(): EpochMs;
    get issuedAt(): EpochMs | undefined;
    get notBefore(): EpochMs | undefined;
    get claims(): JwtSvidFacts["claims"];
    toString(): string;
    toJSON(): {
        readonly spiffeId: SpiffeId;
        readonly expiresAt: EpochMs;
    };
    static isVerifiedJwtSvid(value: unknown): value is VerifiedJwtSvid;
    static verify(token: string, bundles: JwtBundleSet, options: VerifyJwtSvidOptions): VerifiedJwtSvid;
}

export declare class VerifiedPeer {
    #private;
    readonly remoteAddress: string | undefined;
    private constructor();
    get spiffeId(): SpiffeId;
    get trustDomain(): TrustDomain;
    get notAfter(): EpochMs;
    get path(): readonly Certificate[];
    get svid(): VerifiedX509Svid;
    get presented(): readonly Uint8Array[];
    toString(): string;
    toJSON(): {
        readonly spiffeId: SpiffeId;
        readonly notAfter: EpochMs;
    };
    static isVerifiedPeer(value: unknown): value is VerifiedPeer;
    static verify(socket: TLSSocket, options: VerifyPeerOptions): VerifiedPeer;
}

export interface VerifiedRequest extends IncomingMessage {
    readonly peer: VerifiedPeer;
}

export type VerifiedRequestListener = (request: VerifiedRequest, response: ServerResponse) => void;

export interface VerifiedX509Svid {
    readonly id: SpiffeId;
    readonly trustDomain: TrustDomain;
    readonly path: readonly Certificate[];
    readonly notBefore: EpochMs;
    readonly notAfter: EpochMs;
    readonly bundleRevision: string;
}

export interface VerifyBearerOptions {
    readonly source: Pick<JwtSvidSource, "verify">;
    readonly audience: string | readonly string[];
    readonly authorize: (caller: {
        readonly id: SpiffeId;
        readonly svid: VerifiedJwtSvid;
    }) => boolean;
}

export interface VerifyJwtSvidOptions {
    readonly audience: string | readonly string[];
    readonly now: EpochMs;
    readonly leewayMs?: number;
}

export interface VerifyPeerOptions {
    readonly bundles: X509BundleSet;
    readonly authorize: Authorizer;
    readonly now: EpochMs;
    readonly cache?: X509SvidCache;
}

export interface VerifyX509SvidOptions {
    readonly now: EpochMs;
    readonly cache?: X509SvidCache;
}

export declare class WorkloadApiClient implements AsyncDisposable {
    #private;
    constructor(address: EndpointAddress);
    fetchX509Context(options?: ReadX509ContextOptions & {
        readonly signal?: AbortSignal;
    }): Promise<X509Context>;
    fetchX509Bundles(options?: {
        readonly signal?: AbortSignal;
    }): Promise<X509BundleSet>;
    watchX509Contexts(options?: ReadX509ContextOptions & {
        readonly signal?: AbortSignal;
    }): AsyncGenerator<X509Context, void, void>;
    watchX509Bundles(options?: {
        readonly signal?: AbortSignal;
    }): AsyncGenerator<X509BundleSet, void, void>;
    fetchJwtSvids(audience: string | readonly string[], options?: {
        readonly id?: string;
        readonly signal?: AbortSignal;
    }): Promise<readonly JwtSvid[]>;
    watchJwtBundles(options?: {
        readonly signal?: AbortSignal;
    }): AsyncGenerator<JwtBundleSet, void, void>;
    fetchJwtBundles(options?: {
        readonly signal?: AbortSignal;
    }): Promise<JwtBundleSet>;
    validateJwtSvid(token: string, options: {
        readonly audience: string;
        readonly signal?: AbortSignal;
    }): Promise<SpiffeId>;
    watchX509Responses(options: {
        readonly signal?: AbortSignal;
    }): ReturnType<Client<typeof SpiffeWorkloadAPI>["fetchX509SVID"]>;
    watchJwtBundleResponses(options: {
        readonly signal?: AbortSignal;
    }): ReturnType<Client<typeof SpiffeWorkloadAPI>["fetchJWTBundles"]>;
    close(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
}

export interface WorkloadApiOptions {
    readonly address?: string;
    readonly environment?: Readonly<Record<string, string | undefined>>;
}

export interface X509Bundle {
    readonly trustDomain: TrustDomain;
    readonly authorities: readonly Certificate[];
    readonly revision: string;
}

export type X509BundleSet = ReadonlyMap<TrustDomain, X509Bundle>;

export interface X509Context {
    readonly svid: X509Svid | undefined;
    readonly svids: readonly X509Svid[];
    readonly bundles: X509BundleSet;
}

export interface X509ContextSource {
    context(): X509Context;
    updates(options?: {
        readonly signal?: AbortSignal;
    }): AsyncIterable<X509Context>;
}

export declare class X509Source implements X509ContextSource, AsyncDisposable {
    #private;
    constructor(latest: Latest<X509Context>, stop?: () => Promise<void>);
    current(): X509Svid;
    context(): X509Context;
    updates(options?: {
        readonly signal?: AbortSignal;
    }): AsyncGenerator<X509Context, void, void>;
    close(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
}

export interface X509SourceOptions extends WorkloadApiOptions, ReadX509ContextOptions, FollowingOptions {
}

export interface X509Svid {
    readonly id: SpiffeId;
    readonly trustDomain: TrustDomain;
    readonly hint: string;
    readonly chain: readonly [Certificate, ...Certificate[]];
    readonly privateKey: KeyObject;
    readonly notBefore: EpochMs;
    readonly notAfter: EpochMs;
}

export interface X509SvidBytes {
    readonly chainDer: Uint8Array;
    readonly keyDer: Uint8Array;
    readonly id?: string;
    readonly hint?: string;
}

export type X509SvidCache = VerdictCache<VerifiedX509Svid>;

export interface X509SvidParts {
    readonly chain: readonly Certificate[];
    readonly privateKey: KeyObject;
    readonly hint?: string;
}

export declare function bearerCallCredentials(source: Pick<JwtSvidSource, "fetch">, options: {
    readonly audience: string;
}): CallCredentials;

export declare function bearerFetch(source: Pick<JwtSvidSource, "fetch">, options: {
    readonly audience: string;
    readonly fetch?: typeof fetch;
}): (url: string | URL, init?: RequestInit) => Promise<Response>;

export declare function bearerOf(values: string | readonly string[] | undefined): string;

export declare function bearerRequestHeaders(source: Pick<JwtSvidSource, "fetch">, audience: string, options?: {
    readonly signal?: AbortSignal;
}): Promise<{
    readonly authorization: string;
}>;

export declare function concatenateDer(certificates: readonly {
    readonly der: Uint8Array;
}[]): Uint8Array;

export declare function createGrpcAcceptor(server: Server, options: GrpcAcceptorOptions): TlsAcceptor;

export declare function createHttpsAgent(options: HttpsAgentOptions): Agent;

export declare function createHttpsServer(options: HttpsServerOptions, listener: VerifiedRequestListener): HttpsServer;

export declare function createTlsAcceptor(options: TlsAcceptorOptions, take: TakeConnection<VerifiedPeer>): TlsAcceptor;

export declare function createTlsAcceptorWithAnonymous(options: TlsAcceptorOptions, take: TakeConnection<VerifiedPeer | undefined>): TlsAcceptor;

export declare function createTlsConnector(options: TlsConnectorOptions): TlsConnector;

export declare function createX509SvidCache(): X509SvidCache;

export declare function endpointAddress(explicit: string | undefined, environment: Readonly<Record<string, string | undefined>>): EndpointAddress;

export declare function exactId(id: string): Authorizer;

export declare function formatBundleMap(bundles: ReadonlyMap<TrustDomain, SpiffeBundle>): string;

export declare function formatJwtBundle(bundle: JwtBundle): string;

export declare function formatSpiffeBundle(bundle: SpiffeBundle): string;

export declare function formatX509BundleDer(bundle: X509Bundle): Uint8Array;

export declare function grpcCredentials(options: TlsConnectorOptions): ChannelCredentials;

export declare function grpcPeer(call: {
    getPeer(): string;
}): VerifiedPeer;

export declare function httpPeer(request: {
    readonly socket: Socket;
}): VerifiedPeer;

export declare function identityFilesIn(folder: string): IdentityFiles;

export declare function isAudience(audience: readonly unknown[]): audience is readonly string[];

export declare function isJsonArray(value: JsonValue | undefined): value is JsonArray;

export declare function isJsonObject(value: JsonValue | undefined): value is JsonObject;

export declare function isMemberOf(id: SpiffeId, trustDomain: TrustDomain): boolean;

export declare function isReserved(id: SpiffeId): boolean;

export declare function isSpiffeId(text: string): text is SpiffeId;

export declare function isTrustDomain(name: string): name is TrustDomain;

export declare function jwtBundleOf(trustDomain: TrustDomain, authorities: readonly TokenAuthority[]): JwtBundle;

export declare function jwtBundleSetOf(bundles: Iterable<JwtBundle>): JwtBundleSet;

export declare function leafId(leaf: Certificate): SpiffeId;

export declare function memberOf(trustDomain: string): Authorizer;

export declare function oneOf(ids: readonly string[]): Authorizer;

export declare function openFileSource(options: FileSourceOptions, { signal }?: {
    readonly signal?: AbortSignal;
}): Promise<X509Source>;

export declare function openJwtSource(options?: JwtSourceOptions, { signal }?: {
    readonly signal?: AbortSignal;
}): Promise<JwtSource>;

export declare function openRotatingGrpcClient<C extends ClosableClient>(options: RotatingGrpcClientOptions<C>): RotatingGrpcClient<C>;

export declare function openSource(options?: SourceOptions, opening?: {
    readonly signal?: AbortSignal;
}): Promise<X509Source>;

export declare function openWorkloadApi(options?: WorkloadApiOptions): WorkloadApiClient;

export declare function openX509Source(options?: X509SourceOptions, { signal }?: {
    readonly signal?: AbortSignal;
}): Promise<X509Source>;

export declare function parseBundleMap(text: string): ReadonlyMap<TrustDomain, SpiffeBundle>;

export declare function parseEndpointAddress(text: string): EndpointAddress;

export declare function parseJwtBundle(trustDomain: TrustDomain, text: string): JwtBundle;

export declare function parseJwtSvid(token: string, options?: {
    readonly hint?: string;
}): JwtSvid;

export declare function parseSpiffeBundle(trustDomain: TrustDomain, text: string): SpiffeBundle;

export declare function parseSpiffeId(text: string, options?: ParseSpiffeIdOptions): SpiffeId;

export declare function parseTrustDomain(text: string): TrustDomain;

export declare function parseTrustDomainName(name: string): TrustDomain;

export declare function parseX509BundleDer(trustDomain: TrustDomain, der: Uint8Array): X509Bundle;

export declare function parseX509BundlePem(trustDomain: TrustDomain, text: string): X509Bundle;

export declare function parseX509Svid(bytes: X509SvidBytes): X509Svid;

export declare function parseX509SvidPem(chainPem: string, keyPem: string): X509Svid;

export declare function pathOf(id: SpiffeId): string;

export declare function predicate(rule: string, admits: (peer: VerifiedX509Svid) => boolean): Authorizer;

export declare function refreshAfterSeconds(bundle: Pick<SpiffeBundle, "refreshHintSeconds">): number;

export declare function secureContextOptions(svid: X509Svid | undefined): SecureContextOptions;

export declare function segmentsOf(id: SpiffeId): readonly string[];

export declare function sharedKeys(set: X509BundleSet): readonly SharedKey[];

export declare function signJwtSvid(signer: JwsSigner, keyId: string, template: JwtSvidTemplate): string;

export declare function spiffeIdFault(text: string, options?: ParseSpiffeIdOptions): SpiffeIdFault | undefined;

export declare function spiffeIdOf(trustDomain: TrustDomain, ...segments: readonly string[]): SpiffeId;

export declare function trustDomainFault(name: string): TrustDomainFault | undefined;

export declare function trustDomainOf(id: SpiffeId): TrustDomain;

export declare function undiciConnect(options: TlsConnectorOptions): UndiciConnect;

export declare function verifyBearer(request: {
    readonly headersDistinct: NodeJS.Dict<string[]>;
}, options: VerifyBearerOptions): VerifiedJwtSvid;

export declare function verifyGrpcBearer(call: {
    readonly metadata: Metadata;
}, options: VerifyBearerOptions): VerifiedJwtSvid;

export declare function verifyJwtSvid(token: string, bundles: JwtBundleSet, options: VerifyJwtSvidOptions): VerifiedJwtSvid;

export declare function verifyX509Svid(chain: readonly Uint8Array[], bundles: X509BundleSet, options: VerifyX509SvidOptions): VerifiedX509Svid;

export declare function x509BundleOf(trustDomain: TrustDomain, authorities: readonly Certificate[]): X509Bundle;

export declare function x509BundleSetOf(bundles: Iterable<X509Bundle>): X509BundleSet;

export declare function x509ContextOf(svid: X509Svid | undefined, bundles: X509BundleSet): X509Context;

export declare function x509SvidOf(parts: X509SvidParts): X509Svid;

// @bonafide/spiffe/testing

export interface FakeCall {
    readonly method: string;
    readonly securityHeader: readonly string[];
}

export interface FakeIdentities {
    readonly svids: readonly X509Svid[];
    readonly bundles: readonly X509Bundle[];
}

export interface FakeTokens {
    readonly bundles: readonly JwtBundle[];
    readonly sign: (audience: readonly string[]) => string;
}

export declare class FakeWorkloadApi implements AsyncDisposable {
    #private;
    readonly address: string;
    private constructor();
    static open(): Promise<FakeWorkloadApi>;
    get calls(): readonly FakeCall[];
    waitForCalls(count: number): Promise<void>;
    give(identities: FakeIdentities): void;
    giveRaw(response: MessageInitShape<typeof X509SVIDResponseSchema>): void;
    giveRawBundles(response: MessageInitShape<typeof X509BundlesResponseSchema>): void;
    giveJwt({ bundles, sign }: FakeTokens): void;
    giveRawJwtBundles(response: MessageInitShape<typeof JWTBundlesResponseSchema>): void;
    fail(status: StatusName): void;
    endStreams(): void;
    close(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
}

export declare class TestSource extends X509Source {
    #private;
    constructor(own: TestTrustDomain, path: string, trusting: readonly TestTrustDomain[]);
    rotate(svid?: X509Svid): X509Svid;
    refreshBundles(): void;
    redact(): void;
}

export declare class TestTrustDomain {
    #private;
    readonly trustDomain: TrustDomain;
    constructor(name: string, options?: TestTrustDomainOptions);
    get ca(): TestCa;
    get bundle(): X509Bundle;
    rotateAuthority(): void;
    dropOldAuthorities(): void;
    issue(path: string, template?: Partial<CertificateTemplate>): X509Svid;
    forge(id: string): X509Svid;
    source(path: string, options?: {
        readonly trusting?: readonly TestTrustDomain[];
    }): TestSource;
}

export interface TestTrustDomainOptions {
    readonly now?: number;
}

export declare function exampleId(path: string): SpiffeId;
