// @bonafide/rpc

export interface CallContext<Peer> extends IncomingCall<Peer> {
    readonly signal: AbortSignal;
    readonly deadline: EpochMs | undefined;
}

export interface CallOptions {
    readonly timeoutMs?: number;
    readonly signal?: AbortSignal;
    readonly headers?: Readonly<Record<string, string>>;
    readonly waitForReady?: boolean;
}

export interface CallReport<Peer> {
    readonly call: IncomingCall<Peer>;
    readonly status: StatusName | "ok";
    readonly error?: unknown;
    readonly durationMs: number;
}

export declare class Channel {
    #private;
    readonly grpc: GrpcClient;
    readonly timeoutMs: number;
    constructor(target: string, options: ChannelOptions);
    get closed(): boolean;
    close(): void;
    [Symbol.dispose](): void;
}

export interface ChannelOptions {
    readonly credentials?: ChannelCredentials;
    readonly authority?: string;
    readonly timeoutMs?: number;
    readonly messageBytesMax?: number;
    readonly keepaliveMs?: number;
    readonly reconnectMsMax?: number;
}

export type Client<S extends DescService> = {
    readonly [K in keyof S["method"]]: ClientMethod<MethodOf<S, K>>;
};

export interface Connection {
    readonly id: string;
    readonly closed: AbortSignal;
    drain(graceMs: number): void;
    destroy(): void;
}

export declare class Encoded<D extends DescMessage = DescMessage> {
    readonly schema: D;
    readonly bytes: Buffer;
    constructor(schema: D, bytes: Buffer);
}

export type Handlers<S extends DescService, Peer> = {
    readonly [K in keyof S["method"]]: Handler<MethodOf<S, K>, Peer>;
};

export declare class HealthRegistry {
    #private;
    get statuses(): ReadonlyMap<string, ServingStatus>;
    set(service: string, status: ServingStatus): void;
    watch(service: string, options?: {
        readonly signal?: AbortSignal;
    }): AsyncGenerator<ServingStatus | undefined, void, void>;
    close(): void;
}

export interface IncomingCall<Peer> {
    readonly path: string;
    readonly service: string;
    readonly method: string;
    readonly peer: Peer;
    readonly connection: Connection;
    readonly headers: (name: string) => readonly string[];
}

export interface LogLevelCalls<P> {
    getLogger(): Logger;
    setLogLevel(request: {
        readonly newLevel: Logger["currentLevel"];
    }, call: CallContext<P>): Logger;
    resetLogLevel(request: unknown, call: CallContext<P>): Logger;
}

export interface LogLevelCallsOptions<P> {
    readonly callerOf: (peer: P) => {
        readonly uid?: number;
    };
    readonly refusal: (message: string) => Error;
}

export declare const RPC_ERRORS: {
    readonly RPC_CANCELLED: {
        readonly status: "cancelled";
        readonly retry: false;
    };
    readonly RPC_UNKNOWN: {
        readonly status: "unknown";
        readonly retry: false;
    };
    readonly RPC_INVALID_ARGUMENT: {
        readonly status: "invalid_argument";
        readonly retry: false;
    };
    readonly RPC_DEADLINE_EXCEEDED: {
        readonly status: "deadline_exceeded";
        readonly retry: true;
    };
    readonly RPC_NOT_FOUND: {
        readonly status: "not_found";
        readonly retry: false;
    };
    readonly RPC_ALREADY_EXISTS: {
        readonly status: "already_exists";
        readonly retry: false;
    };
    readonly RPC_PERMISSION_DENIED: {
        readonly status: "permission_denied";
        readonly retry: false;
    };
    readonly RPC_RESOURCE_EXHAUSTED: {
        readonly status: "resource_exhausted";
        readonly retry: true;
    };
    readonly RPC_FAILED_PRECONDITION: {
        readonly status: "failed_precondition";
        readonly retry: false;
    };
    readonly RPC_ABORTED: {
        readonly status: "aborted";
        readonly retry: true;
    };
    readonly RPC_OUT_OF_RANGE: {
        readonly status: "out_of_range";
        readonly retry: false;
    };
    readonly RPC_UNIMPLEMENTED: {
        readonly status: "unimplemented";
        readonly retry: false;
    };
    readonly RPC_INTERNAL: {
        readonly status: "internal";
        readonly retry: false;
    };
    readonly RPC_UNAVAILABLE: {
        readonly status: "unavailable";
        readonly retry: true;
    };
    readonly RPC_DATA_LOSS: {
        readonly status: "data_loss";
        readonly retry: false;
    };
    readonly RPC_UNAUTHENTICATED: {
        readonly status: "unauthenticated";
        readonly retry: false;
    };
};

export declare const RPC_SERVER_ERRORS: {
    readonly CONNECTION_UNKNOWN: {
        readonly status: "unauthenticated";
        readonly retry: false;
    };
    readonly HEALTH_SERVICE_UNKNOWN: {
        readonly status: "not_found";
        readonly retry: false;
    };
    readonly REFLECTION_TOO_MUCH: {
        readonly status: "resource_exhausted";
        readonly retry: true;
    };
};

export declare class RpcError extends BonafideError<RpcErrorCode> {
    readonly grpcCode: number;
    readonly statusDetails: readonly Any[];
    readonly errorInfo: ErrorInfo | undefined;
    constructor(status: StatusName, message: string, statusDetails?: readonly Any[], cause?: unknown);
    get reason(): string | undefined;
    detail<D extends DescMessage>(schema: D): MessageShape<D> | undefined;
}

export type RpcErrorCode = keyof typeof RPC_ERRORS;

export declare class RpcServer<Peer> {
    #private;
    constructor(options: RpcServerOptions<Peer>);
    get services(): readonly DescService[];
    get connectionCount(): number;
    inject(socket: Duplex, peer: Peer): Connection;
    drain(graceMs: number): Promise<void>;
    close(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
    install(service: DescService, table: UntypedServiceImplementation): void;
    incoming(metadata: Metadata): {
        call: IncomingCall<Peer>;
        signal: AbortSignal;
    } | undefined;
    fail(metadata: Metadata, error: unknown): ReturnType<typeof renderStatus>;
}

export interface RpcServerOptions<Peer> {
    readonly clock?: Clock;
    readonly messageBytesMax?: number;
    readonly requestBytesMax?: number;
    readonly requestFramesMax?: number;
    readonly connectionsMax?: number;
    readonly offers?: (service: DescService) => boolean;
    readonly streamsPerConnectionMax?: number;
    readonly keepaliveMs?: number;
    readonly retryAfterMs?: number;
    readonly check?: (call: IncomingCall<Peer>) => void;
    readonly observe?: (report: CallReport<Peer>) => void;
}

export declare const STATUS_CODES: {
    readonly cancelled: 1;
    readonly unknown: 2;
    readonly invalid_argument: 3;
    readonly deadline_exceeded: 4;
    readonly not_found: 5;
    readonly already_exists: 6;
    readonly permission_denied: 7;
    readonly resource_exhausted: 8;
    readonly failed_precondition: 9;
    readonly aborted: 10;
    readonly out_of_range: 11;
    readonly unimplemented: 12;
    readonly internal: 13;
    readonly unavailable: 14;
    readonly data_loss: 15;
    readonly unauthenticated: 16;
};

export type ServingStatus = "unknown" | "serving" | "not_serving";

export interface StatusExtra {
    readonly status?: StatusName;
    readonly details?: readonly Any[];
}

export declare function addHealth<Peer>(server: RpcServer<Peer>, health: HealthRegistry): void;

export declare function addReflection<Peer>(server: RpcServer<Peer>): void;

export declare function addService<S extends DescService, Peer>(server: RpcServer<Peer>, service: S, handlers: Partial<Handlers<S, Peer>>): void;

export declare function createClient<S extends DescService>(service: S, channel: Channel): Client<S>;

export declare function detail<D extends DescMessage>(schema: D, message: MessageInitShape<D>): Any;

export declare function encode<D extends DescMessage>(schema: D, message: MessageInitShape<D>): Encoded<D>;

export declare function logLevelCalls<P>(levels: LogLevelSwitch, log: Log, { callerOf, refusal }: LogLevelCallsOptions<P>): LogLevelCalls<P>;

export declare function openChannel(target: string, options?: ChannelOptions): Channel;

export declare function openServer<Peer>(options?: RpcServerOptions<Peer>): RpcServer<Peer>;

export declare function openUnixChannel(path: string, options?: ChannelOptions): Channel;

export declare function renderStatus(error: unknown, retryAfterMs?: number): StatusObject;

export declare function withStatus<E extends BonafideError>(error: E, extra: StatusExtra): E;

// @bonafide/rpc/testing

export interface AttackOptions extends Patience {
    readonly seed: number;
    readonly inputs: number;
    readonly parallel: number;
    readonly silentMs: number;
}

export interface AttackReport {
    readonly ends: ReadonlyMap<string, number>;
    readonly late: readonly string[];
}

export interface Attacked extends AsyncDisposable {
    readonly doors: readonly HostileDoor[];
    readonly faults: readonly string[];
}

export interface HeldResources {
    readonly heap: number;
    readonly resident: number;
    readonly descriptors: number;
    readonly timers: number;
}

export interface HostileDoor {
    readonly name: string;
    readonly at: {
        readonly kind: "unix";
        readonly path: string;
    }
     | {
        readonly kind: "tcp";
        readonly port: number;
    }
     | {
        readonly kind: "tls";
        readonly port: number;
        readonly client?: {
            readonly keyPem: string;
            readonly certificatesPem: string;
        };
    };
    readonly services: readonly string[];
    readonly connectionEvery: number;
    readonly waiting?: readonly string[];
}

export interface HostileTarget {
    readonly name: string;
    readonly connect: Connect;
    readonly services: readonly DescService[];
    readonly connectionEvery: number;
    readonly waiting?: readonly string[];
}

export interface LongAttackReport extends AttackReport {
    readonly warm: HeldResources;
    readonly held: HeldResources;
    readonly faults: readonly string[];
}

export interface TestServer<Peer> extends AsyncDisposable {
    readonly server: RpcServer<Peer>;
    readonly path: string;
    channel(options?: ChannelOptions): Channel;
    close(): Promise<void>;
}

export interface TestServerOptions<Peer> extends RpcServerOptions<Peer> {
    readonly wrap?: (socket: Socket) => Duplex;
    readonly socketName?: string;
}

export interface Victim extends AsyncDisposable {
    readonly pid: number;
    readonly doors: readonly HostileDoor[];
    state(): Promise<VictimState>;
}

export interface VictimState {
    readonly held: HeldResources;
    readonly faults: readonly string[];
}

export declare function assertNothingKept({ warm, held }: LongAttackReport): void;

export declare function attack(targets: readonly HostileTarget[], options: AttackOptions): Promise<AttackReport>;

export declare function attackSeed(env: Readonly<Record<string, string | undefined>>): number;

export declare function describeAttack({ ends }: AttackReport): string;

export declare function heldResources(): Promise<HeldResources>;

export declare function longAttack(victim: Victim, targets: readonly HostileTarget[], { seed, inputs }: {
    readonly seed: number;
    readonly inputs: number;
}): Promise<LongAttackReport>;

export declare function openTestServer<Peer>(peerOf: (socket: Socket) => Peer, options?: TestServerOptions<Peer>): Promise<TestServer<Peer>>;

export declare function openVictim(program: URL): Promise<Victim>;

export declare function serveVictim(open: () => Promise<Attacked>): Promise<void>;

export declare function targetsOf(doors: readonly HostileDoor[], known: readonly DescService[]): readonly HostileTarget[];
