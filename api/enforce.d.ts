// @bonafide/enforce

export interface Answer {
    readonly allowed: boolean;
    readonly reason: DecisionReason;
    readonly decision: string;
    readonly resource: EntityUid | undefined;
    readonly user: string | undefined;
}

export type Asked = {
    readonly path: string;
    readonly routed?: readonly string[] | undefined;
} | {
    readonly resource: EntityUid;
};

export interface BundleSource {
    readonly current: VerifiedBundle | undefined;
}

export interface Call {
    readonly peer: VerifiedPeer;
    readonly action: string;
    readonly asked: Asked;
    readonly sourceIp?: string | undefined;
    readonly user?: VerifiedUser | "invalid" | undefined;
}

export interface CountedEdge extends Edge {
    readonly count: number;
    readonly lastAt: number;
}

export declare const ENFORCE_ERRORS: {
    readonly CALL_DENIED: {
        readonly status: "permission_denied";
        readonly retry: false;
    };
    readonly POLICY_NOT_READY: {
        readonly status: "unavailable";
        readonly retry: true;
    };
    readonly CLAIMS_INVALID: {
        readonly status: "invalid_argument";
        readonly retry: false;
    };
};

export interface Edge {
    readonly caller: string;
    readonly onBehalf: boolean;
    readonly action: string;
    readonly resource: string;
    readonly allowed: boolean;
    readonly reason: DecisionReason;
    readonly policy: string;
    readonly shadow: DecisionReason | "";
    readonly candidate: DecisionReason | "";
}

export interface EdgeReport {
    readonly edges: readonly CountedEdge[];
    readonly allowed: number;
    readonly denied: number;
    readonly undeclared: number;
    readonly uncounted: number;
}

export type EnforceErrorCode = keyof typeof ENFORCE_ERRORS;

export declare class Enforcer {
    #private;
    readonly service: string;
    constructor(options: EnforcerOptions);
    authorize(call: Call): Answer;
    takeEdges(): EdgeReport;
    takeRecords(): RecordReport;
}

export interface EnforcerOptions {
    readonly service: string;
    readonly bundle: BundleSource;
    readonly candidate?: BundleSource;
    readonly observeOnlyInsecure?: boolean;
    readonly recordAllowedEvery?: number;
    readonly recordsMax?: number;
    readonly edgesMax?: number;
    readonly onAlarm?: (record: DecisionRecord) => void;
    readonly clock?: Clock;
}

export type ExpressMiddleware<R extends ExpressRequest> = (request: R, response: ServerResponse, next: () => void) => void;

export interface ExpressRequest extends IncomingMessage {
    readonly originalUrl: string;
    readonly baseUrl: string;
    readonly app?: unknown;
}

export type FastifyHook<R> = (request: R, reply: FastifyReplyLike, done: () => void) => void;

export interface FastifyReplyLike {
    code(status: number): FastifyReplyLike;
    send(body: unknown): unknown;
}

export interface FastifyRequestLike {
    readonly raw: IncomingMessage;
    readonly url: string;
    readonly routeOptions: {
        readonly url?: string | undefined;
    };
}

export interface Grant {
    readonly agent: string;
    readonly actions: readonly string[];
    readonly resources: readonly string[];
    readonly depthMax: number;
    readonly expiresAt: number;
}

export interface GrpcAuthorizeOptions {
    readonly user?: (metadata: Metadata) => Promise<VerifiedUser | undefined>;
}

export interface HttpAuthorizeOptions<R> {
    readonly user?: (request: R) => Promise<VerifiedUser | undefined>;
}

export interface RecordReport {
    readonly records: readonly DecisionRecord[];
    readonly dropped: number;
}

export interface VerifiedUser {
    readonly user: string;
    readonly actors: readonly string[];
    readonly scopes: readonly string[];
    readonly expiresAt: number;
    readonly approvedAt?: number;
    readonly grants?: readonly Grant[];
}

export declare function answerOf(request: IncomingMessage): Answer | undefined;

export declare function authorizeConnections(enforcer: Enforcer, take: TakeConnection<VerifiedPeer>): TakeConnection<VerifiedPeer>;

export declare function authorizeExpress<R extends ExpressRequest>(enforcer: Enforcer, options?: HttpAuthorizeOptions<R>): ExpressMiddleware<R>;

export declare function authorizeFastify<R extends FastifyRequestLike>(enforcer: Enforcer, options?: HttpAuthorizeOptions<R>): FastifyHook<R>;

export declare function authorizeGrpc(enforcer: Enforcer, options?: GrpcAuthorizeOptions): ServerInterceptor;

export declare function authorizeHttp(enforcer: Enforcer, listener: VerifiedRequestListener, options?: HttpAuthorizeOptions<IncomingMessage>): VerifiedRequestListener;

export declare function denialOf({ reason, decision }: Answer): BonafideError;

export declare function userOfClaims(claims: Readonly<Record<string, unknown>>): VerifiedUser;

// @bonafide/enforce/testing

export interface SignedBundleOptions {
    readonly serial?: number;
    readonly now?: number;
    readonly lifeMs?: number;
}

export declare function signedBundle(folder: ReadFolder, { serial, now, lifeMs }?: SignedBundleOptions): Promise<VerifiedBundle>;
