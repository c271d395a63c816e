// @bonafide/authz

export declare const ACTIONS: {
    readonly Route: readonly ["http.GET", "http.HEAD", "http.POST", "http.PUT", "http.PATCH", "http.DELETE", "grpc.call"];
    readonly Table: readonly ["db.select", "db.write"];
    readonly Topic: readonly ["topic.consume", "topic.publish"];
    readonly Service: readonly ["net.connect"];
};

export declare const AUTHZ_ERRORS: {
    readonly POLICY_MALFORMED: {
        readonly status: "invalid_argument";
        readonly retry: false;
    };
    readonly POLICY_UNSUPPORTED: {
        readonly status: "unimplemented";
        readonly retry: false;
    };
    readonly POLICY_TOO_LARGE: {
        readonly status: "out_of_range";
        readonly retry: false;
    };
    readonly VALUE_MALFORMED: {
        readonly status: "invalid_argument";
        readonly retry: false;
    };
    readonly ENTITY_INVALID: {
        readonly status: "invalid_argument";
        readonly retry: false;
    };
    readonly AUTHZ_REQUEST_INVALID: {
        readonly status: "invalid_argument";
        readonly retry: false;
    };
    readonly MODEL_INVALID: {
        readonly status: "invalid_argument";
        readonly retry: false;
    };
    readonly BUNDLE_MALFORMED: {
        readonly status: "invalid_argument";
        readonly retry: false;
    };
    readonly BUNDLE_TOO_LARGE: {
        readonly status: "out_of_range";
        readonly retry: false;
    };
    readonly BUNDLE_UNTRUSTED: {
        readonly status: "permission_denied";
        readonly retry: false;
    };
    readonly BUNDLE_ROLLED_BACK: {
        readonly status: "failed_precondition";
        readonly retry: false;
    };
    readonly BUNDLE_EXPIRED: {
        readonly status: "failed_precondition";
        readonly retry: false;
    };
    readonly BUNDLE_NOT_YET_VALID: {
        readonly status: "failed_precondition";
        readonly retry: true;
    };
    readonly BUNDLE_UNSUPPORTED: {
        readonly status: "unimplemented";
        readonly retry: false;
    };
    readonly BUNDLE_MISMATCH: {
        readonly status: "failed_precondition";
        readonly retry: false;
    };
    readonly BUNDLE_UNREADABLE: {
        readonly status: "unavailable";
        readonly retry: true;
    };
    readonly FOLDER_REFUSED: {
        readonly status: "failed_precondition";
        readonly retry: false;
    };
    readonly POLICY_KEY_INVALID: {
        readonly status: "invalid_argument";
        readonly retry: false;
    };
    readonly RECORD_MALFORMED: {
        readonly status: "invalid_argument";
        readonly retry: false;
    };
    readonly ACCESS_LOG_MALFORMED: {
        readonly status: "invalid_argument";
        readonly retry: false;
    };
};

export interface Access {
    readonly kind: "allow" | "deny" | "conditional";
    readonly policies: readonly string[];
    readonly conditions: readonly string[];
}

export interface AccessAsk {
    readonly file: string;
    readonly requestedBy: string;
    readonly approvedBy: readonly string[];
}

export interface AccessChange {
    readonly kind: "gained" | "lost" | "changed";
    readonly principals: readonly EntityUid[];
    readonly action: EntityUid;
    readonly resource: EntityUid;
    readonly before: Access;
    readonly after: Access;
}

export declare class AccessGraph {
    #private;
    readonly parts: AccessGraphParts;
    constructor(parts: AccessGraphParts);
    policy(id: string): Policy | undefined;
    can(principal: EntityUid, action: EntityUid, resource: EntityUid): Access;
    classes(): readonly PrincipalClass[];
}

export interface AccessGraphParts {
    readonly policies: ReadonlyMap<string, unknown>;
    readonly entities: EntityStore;
    readonly principals: readonly EntityUid[];
}

export interface AccessLog {
    readonly edges: readonly SeenEdge[];
    readonly firstAt: number | undefined;
    readonly lastAt: number | undefined;
    readonly undeclared: ReadonlyMap<string, ReadonlyMap<string, number>>;
    readonly unresolved: number;
}

export interface AccessModel {
    readonly trustDomain: string;
    readonly federated: readonly string[];
    readonly idOwners: ReadonlyMap<string, string>;
    readonly services: readonly ServiceDeclaration[];
    readonly workloads: readonly WorkloadDeclaration[];
    readonly users: readonly UserDeclaration[];
    readonly groups: ReadonlyMap<string, readonly string[]>;
    readonly devices: readonly DeviceDeclaration[];
}

export declare class AccessPaths {
    #private;
    constructor(graph: AccessGraph, model: AccessModel);
    calls(principal: EntityUid): readonly Hop[];
    shortest(from: EntityUid, isWanted: (resource: EntityUid) => boolean, options?: {
        readonly hopsMax?: number;
    }): readonly Hop[] | undefined;
    services(from: EntityUid): ReadonlyMap<string, readonly Hop[]>;
}

export interface AccessProposal {
    readonly team: string;
    readonly policyId: string;
    readonly reviewers: readonly string[];
    readonly files: ReadonlyMap<string, string>;
}

export interface AccessRequest {
    readonly from: string;
    readonly to: string;
    readonly actions: readonly string[];
    readonly reason: string;
    readonly requestedBy: string;
    readonly expires?: string;
}

export type ActionName = (typeof ACTIONS)[keyof typeof ACTIONS][number];

export interface AnnotatedChange extends AccessChange {
    readonly data: readonly string[];
}

export type AuthzErrorCode = keyof typeof AUTHZ_ERRORS;

export interface AuthzRequest {
    readonly principal: EntityUid;
    readonly action: EntityUid;
    readonly resource: EntityUid;
    readonly context: CedarRecord;
}

export declare const BASE_SCHEMA = "namespace BF {\n  entity TrustDomain = { \"relation\": String };\n  entity IdPath in [IdPath, TrustDomain];\n  entity Team;\n  entity Workload in [IdPath, TrustDomain, Team] = { \"kind\": String, \"attested\": Set<String> };\n  entity Group in [Group];\n  entity User in [Group, Team];\n  entity Device in [Group] = { \"owner\"?: User, \"posture\": Set<String> };\n  entity Tag;\n  entity Service in [Team] = { \"data\": Set<String> };\n  entity Route in [Service, Team, Tag] = { \"subject\": String };\n  entity Table in [Service, Team, Tag];\n  entity Topic in [Service, Team, Tag];\n\n  type OnBehalfOf = {\n    \"user\"?: User,\n    \"chain\": Set<Workload>,\n    \"depth\": Long,\n    \"scopes\": Set<String>,\n    \"approvedAgo\"?: duration,\n  };\n  type Request = {\n    \"now\": datetime,\n    \"tls\": Bool,\n    \"sourceIp\"?: ipaddr,\n    \"device\"?: Device,\n    \"obo\"?: OnBehalfOf,\n  };\n\n  action \"read\", \"write\", \"admin\";\n  action \"http.GET\", \"http.HEAD\" in [\"read\"]\n    appliesTo { principal: [Workload, User], resource: [Route], context: Request };\n  action \"http.POST\", \"http.PUT\", \"http.PATCH\", \"http.DELETE\" in [\"write\"]\n    appliesTo { principal: [Workload, User], resource: [Route], context: Request };\n  action \"grpc.call\"\n    appliesTo { principal: [Workload, User], resource: [Route], context: Request };\n  action \"db.select\" in [\"read\"]\n    appliesTo { principal: [Workload, User], resource: [Table], context: Request };\n  action \"db.write\" in [\"write\"]\n    appliesTo { principal: [Workload, User], resource: [Table], context: Request };\n  action \"topic.consume\" in [\"read\"]\n    appliesTo { principal: [Workload, User], resource: [Topic], context: Request };\n  action \"topic.publish\" in [\"write\"]\n    appliesTo { principal: [Workload, User], resource: [Topic], context: Request };\n  action \"net.connect\"\n    appliesTo { principal: [Workload, Device], resource: [Service], context: Request };\n}\n";

export interface BuildBundleOptions {
    readonly serial: number;
    readonly issued: number;
    readonly expires: number;
    readonly previous?: string;
    readonly commit?: string;
    readonly schema?: string;
}

export interface BundleRef {
    readonly serial: number;
    readonly digest: string;
}

export declare class CallerEntities {
    #private;
    constructor(known: KnownCallers);
    of(caller: string): EntitySource;
    mayBeAgent(workload: string): boolean;
}

export declare class CedarRecord {
    #private;
    readonly kind = "record";
    readonly attributes: ReadonlyMap<string, Value>;
    constructor(attributes: ReadonlyMap<string, Value>);
    get key(): string;
}

export declare class CedarSet {
    #private;
    readonly kind = "set";
    readonly members: ReadonlyMap<string, Value>;
    constructor(members: Iterable<Value>);
    get key(): string;
}

export interface CompiledPolicies {
    readonly size: number;
    policy(id: string): Policy | undefined;
    policies(): Iterable<Policy>;
    readonly index: ScopeIndex;
}

export interface Condition {
    readonly kind: "when" | "unless";
    readonly body: unknown;
}

export declare const DECISION_REASONS: readonly [
"permitted",
"forbidden",
"no_permit",
"policy_erred",
"no_bundle",
"bundle_expired",
"method_unknown",
"path_ambiguous",
"route_disagreement",
"subject_required",
"subject_refused",
"token_invalid",
"actor_mismatch",
"grant_missing",
"grant_exceeded"];

export interface DataPath {
    readonly hops: readonly Hop[];
    readonly data: readonly string[];
}

export interface Decision {
    readonly decision: "allow" | "deny";
    readonly determining: readonly string[];
    readonly faults: readonly PolicyFault[];
}

export type DecisionReason = (typeof DECISION_REASONS)[number];

export interface DecisionRecord {
    readonly id: string;
    readonly at: number;
    readonly service: string;
    readonly caller: string;
    readonly action?: ActionName;
    readonly resource?: {
        readonly type: "Route" | "Table" | "Topic" | "Service";
        readonly id: string;
    };
    readonly asked?: string;
    readonly tls: boolean;
    readonly sourceIp?: string;
    readonly onBehalfOf?: OnBehalfOf;
    readonly allowed: boolean;
    readonly reason: DecisionReason;
    readonly observed?: boolean;
    readonly bundle?: BundleRef;
    readonly edges: readonly RecordedEdge[];
    readonly shadow?: ShadowAnswer;
    readonly candidate?: ShadowAnswer;
}

export interface Declassified {
    readonly service: string;
    readonly data: readonly string[];
}

export interface DeviceDeclaration {
    readonly name: string;
    readonly owner: string | undefined;
    readonly posture: readonly string[];
    readonly groups: readonly string[];
}

export interface DiffInput {
    readonly before: AccessGraph;
    readonly after: AccessGraph;
    readonly reachables: readonly Reachable[];
}

export interface DrawOptions {
    readonly from?: readonly EntityUid[];
    readonly to?: string;
}

export declare const EMPTY_RECORD: CedarRecord;

export declare const ENGINE_VERSION = 1;

export interface Entity {
    readonly uid: EntityUid;
    readonly ancestors: ReadonlySet<string>;
    readonly attributes: ReadonlyMap<string, Value>;
    readonly tags: ReadonlyMap<string, Value>;
}

export interface EntityInput {
    readonly uid: EntityUid;
    readonly parents: readonly EntityUid[];
    readonly attributes?: ReadonlyMap<string, Value>;
    readonly tags?: ReadonlyMap<string, Value>;
}

export interface EntitySource {
    find(key: string): Entity | undefined;
}

export declare class EntityStore implements EntitySource {
    #private;
    private constructor();
    static of(inputs: Iterable<EntityInput>, below?: EntitySource): EntityStore;
    static parse(json: unknown, below?: EntitySource): EntityStore;
    find(key: string): Entity | undefined;
    entities(): Iterable<Entity>;
}

export type EntityType = "TrustDomain" | "IdPath" | "Team" | "Workload" | "Group" | "User" | "Device" | "Tag" | "Service" | "Route" | "Table" | "Topic";

export declare class EntityUid {
    readonly kind = "entity";
    readonly type: string;
    readonly id: string;
    readonly key: string;
    constructor(type: string, id: string);
}

export interface Explanation {
    readonly verdict: Verdict;
    readonly accounts: readonly PolicyAccount[];
}

export type FaultKind = "type" | "overflow" | "attribute-missing" | "entity-missing" | "tag-missing" | "extension";

export interface Finding {
    readonly file: string;
    readonly line: number;
    readonly rule: FindingRule;
    readonly reason: string;
}

export type FindingRule = "syntax" | "model" | "schema" | "R1" | "R2" | "R3" | "R4" | "R5" | "R6" | "R7" | "R8" | "R9";

export interface Folder {
    readonly files: ReadonlyMap<string, string>;
    readonly org: Org;
    readonly model: AccessModel;
    readonly policies: readonly SourcedPolicy[];
    readonly asks: readonly AccessAsk[];
    readonly tests: readonly SourcedTest[];
}

export interface FolderDiff {
    readonly changes: readonly AnnotatedChange[];
    readonly newPaths: readonly DataPath[];
    readonly lostPaths: readonly DataPath[];
    readonly subjects: readonly SubjectChange[];
    readonly latent: readonly LatentPermit[];
    readonly declassified: readonly Declassified[];
}

export interface FolderParsers {
    readonly cedar: (text: string) => unknown;
    readonly yaml: (text: string) => unknown;
}

export interface FolderTools extends FolderParsers {
    readonly validate: (schema: string, policies: ReadonlyMap<string, unknown>) => readonly PolicyComplaint[];
}

export interface FreshnessOptions {
    readonly now: number;
    readonly trustDomain: string;
    readonly floor?: BundleRef | undefined;
}

export interface GraphDrawing {
    readonly edges: readonly GraphEdge[];
    readonly callers: readonly {
        readonly uid: EntityUid;
        readonly team: string | undefined;
    }[];
    readonly services: AccessModel["services"];
}

export interface GraphEdge {
    readonly caller: EntityUid;
    readonly service: string;
    readonly actions: readonly string[];
    readonly resources: number;
    readonly isConditional: boolean;
}

export interface GraphOptions {
    readonly shadow?: boolean;
    readonly unlisted?: readonly string[];
}

export interface Hop {
    readonly principal: EntityUid;
    readonly action: EntityUid;
    readonly resource: EntityUid;
    readonly access: Access;
}

export interface ImportedRoutes {
    readonly routes: readonly RouteDeclaration[];
    readonly skipped: readonly SkippedRoute[];
}

export interface KnownCallers {
    readonly model: Pick<AccessModel, "trustDomain" | "idOwners">;
    readonly entities: EntitySource;
}

export interface LatentPermit {
    readonly policyId: string;
    readonly file: string;
    readonly line: number;
}

export interface Manifest {
    readonly trustDomain: string;
    readonly serial: number;
    readonly previous?: string;
    readonly commit?: string;
    readonly schema: string;
    readonly engine: number;
    readonly issued: number;
    readonly expires: number;
    readonly slices: ReadonlyMap<string, SliceDigest>;
}

export interface MatchedRoute {
    readonly resource: EntityUid;
    readonly route: RouteDeclaration | undefined;
}

export interface NamedResource {
    readonly resource: EntityUid;
    readonly isDeclared: boolean;
}

export interface NotSuggested {
    readonly caller: string;
    readonly action: ActionName;
    readonly resource: string;
    readonly count: number;
    readonly why: string;
}

export interface OnBehalfOf {
    readonly user?: string;
    readonly chain: readonly string[];
    readonly scopes: readonly string[];
    readonly approvedAgoMs?: number;
}

export interface Org {
    readonly teams: ReadonlyMap<string, Team>;
    readonly owners: readonly string[];
    readonly approvers: ReadonlyMap<string, string>;
}

export interface Placement {
    readonly byService: ReadonlyMap<string, ReadonlySet<SourcedPolicy>>;
    readonly findings: readonly Finding[];
}

export interface Policy {
    readonly id: string;
    readonly effect: "permit" | "forbid";
    readonly principal: ScopeConstraint;
    readonly action: ScopeConstraint;
    readonly resource: ScopeConstraint;
    readonly conditions: readonly Condition[];
    readonly annotations: ReadonlyMap<string, string>;
}

export interface PolicyAccount {
    readonly policyId: string;
    readonly effect: "permit" | "forbid";
    readonly outcome: "holds" | "fails" | "errs" | "other-principal" | "other-action";
    readonly condition: string | undefined;
    readonly fault: FaultKind | undefined;
}

export type PolicyAlgorithm = "Ed25519" | "ECDSA P-256";

export interface PolicyComplaint {
    readonly policyId: string;
    readonly reason: string;
}

export interface PolicyFault {
    readonly policyId: string;
    readonly effect: "permit" | "forbid";
    readonly fault: FaultKind;
}

export interface PolicyKey {
    readonly id: string;
    readonly algorithm: PolicyAlgorithm;
    readonly spki: Uint8Array<ArrayBuffer>;
}

export interface PolicyKeyPair {
    readonly key: PolicyKey;
    readonly publicPem: string;
    readonly privatePem: string;
}

export interface PolicySigner {
    readonly key: PolicyKey;
    sign(message: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
}

export declare class PolicyTrust {
    readonly keys: ReadonlyMap<string, PolicyKey>;
    readonly threshold: number;
    private constructor();
    static of({ keys, threshold, authorities }: PolicyTrustOptions): PolicyTrust;
}

export interface PolicyTrustOptions {
    readonly keys: readonly PolicyKey[];
    readonly threshold: number;
    readonly authorities?: readonly Uint8Array[];
}

export type Principal = {
    readonly workload: string;
} | {
    readonly user: string;
} | {
    readonly device: string;
};

export interface PrincipalClass {
    readonly members: readonly EntityUid[];
}

export interface Reach {
    readonly resource: EntityUid;
    readonly action: EntityUid;
    readonly access: Access;
}

export interface Reachable {
    readonly resource: EntityUid;
    readonly actions: readonly ActionName[];
    readonly service: string;
}

export interface ReadFolder {
    readonly folder: Folder;
    readonly findings: readonly Finding[];
}

export interface RecordedBundle extends Omit<Parts, "shadowPolicies"> {
    readonly compiled: CompiledPolicies;
    readonly entities: EntityStore;
}

export interface RecordedEdge {
    readonly principal: {
        readonly workload: string;
    } | {
        readonly user: string;
    };
    readonly allowed: boolean;
    readonly policies: readonly string[];
    readonly faults: readonly PolicyFault[];
}

export interface ReplayBundle extends KnownCallers {
    readonly model: KnownCallers["model"] & Pick<AccessModel, "services" | "federated">;
    readonly manifest: Pick<Manifest, "expires">;
    readonly compiled: CompiledPolicies;
}

export interface Replayed {
    readonly edges: readonly ReplayedEdge[];
    readonly isSame: boolean;
}

export interface ReplayedEdge {
    readonly recorded: RecordedEdge;
    readonly request: AuthzRequest;
    readonly verdict: Verdict;
    readonly isSame: boolean;
}

export interface RequestFacts {
    readonly now: number;
    readonly tls: boolean;
    readonly sourceIp?: string;
    readonly device?: string;
    readonly onBehalfOf?: OnBehalfOf;
}

export interface RouteDeclaration {
    readonly path: string;
    readonly actions: readonly ActionName[];
    readonly tags: readonly string[];
    readonly subject: SubjectRule;
}

export declare class RouteTable {
    #private;
    constructor({ name, routes }: Pick<ServiceDeclaration, "name" | "routes">);
    match(action: ActionName, path: string): MatchedRoute;
    find(action: ActionName, segments: readonly string[]): RouteDeclaration | undefined;
}

export interface RoutesPlan {
    readonly added: readonly RouteDeclaration[];
    readonly widened: readonly WidenedRoute[];
    readonly others: readonly RouteDeclaration[];
}

export type ScopeConstraint = {
    readonly op: "any";
} | {
    readonly op: "equals";
    readonly entity: EntityUid;
}
 | {
    readonly op: "in";
    readonly entities: readonly EntityUid[];
} | {
    readonly op: "is";
    readonly type: string;
    readonly within: EntityUid | undefined;
};

export interface SeenEdge {
    readonly caller: EntityUid | undefined;
    readonly action: ActionName;
    readonly resource: EntityUid;
    readonly allowed: boolean;
    readonly count: number;
    readonly lastAt: number;
}

export interface ServiceDeclaration {
    readonly name: string;
    readonly team: string;
    readonly data: readonly string[];
    readonly servedBy: readonly string[];
    readonly routes: readonly RouteDeclaration[];
    readonly tables: readonly ThingDeclaration[];
    readonly topics: readonly ThingDeclaration[];
}

export interface ShadowAnswer {
    readonly allowed: boolean;
    readonly reason: DecisionReason;
    readonly policies: readonly string[];
    readonly bundle?: BundleRef;
}

export interface SkippedRoute {
    readonly path: string;
    readonly reason: string;
}

export interface SliceDigest {
    readonly sha256: string;
    readonly bytes: number;
}

export interface SourcedPolicy {
    readonly id: string;
    readonly file: string;
    readonly line: number;
    readonly team: string | undefined;
    readonly shadow: boolean;
    readonly policy: Policy;
    readonly json: unknown;
}

export interface SourcedTest {
    readonly file: string;
    readonly line: number;
    readonly team: string | undefined;
    readonly test: ({
        readonly kind: "decision";
    } & DecisionTest) | ({
        readonly kind: "invariant";
        readonly text: string;
    } & {
        readonly invariant: Invariant;
    });
}

export interface SubjectChange {
    readonly route: string;
    readonly before: SubjectRule;
    readonly after: SubjectRule;
    readonly isLoosened: boolean;
}

export type SubjectRule = "none" | "optional" | "required";

export interface Suggestion {
    readonly team: string;
    readonly to: string;
    readonly actions: readonly ActionName[];
    readonly from: readonly string[];
    readonly count: number;
    readonly instead: readonly {
        readonly from: string;
        readonly alsoAllows: readonly string[];
    }[];
}

export interface Suggestions {
    readonly suggestions: readonly Suggestion[];
    readonly rest: readonly NotSuggested[];
}

export interface Team {
    readonly name: string;
    readonly owners: readonly string[];
    readonly parent: string | undefined;
    readonly ids: readonly string[];
}

export interface TestOutcome {
    readonly file: string;
    readonly line: number;
    readonly name: string;
    readonly fault: string | undefined;
}

export interface ThingDeclaration {
    readonly name: string;
    readonly tags: readonly string[];
}

export declare const UNDECLARED = "?";

export declare class UnsignedBundle {
    #private;
    readonly digest: string;
    constructor(key: typeof ownKey, manifest: Uint8Array<ArrayBuffer>, slices: ReadonlyMap<string, Uint8Array<ArrayBuffer>>, digest: string);
    sign(signer: PolicySigner): Promise<Uint8Array<ArrayBuffer>>;
}

export interface UnusedPermit {
    readonly policyId: string;
    readonly file: string;
    readonly line: number;
    readonly actions: readonly string[];
    readonly isUnused: boolean;
}

export interface UserDeclaration {
    readonly name: string;
    readonly groups: readonly string[];
}

export type Value = boolean | string | Long | EntityUid | CedarSet | CedarRecord | IpRange | Decimal | Datetime | Duration;

export interface Verdict {
    readonly allowed: boolean;
    readonly alarm: boolean;
    readonly decision: Decision;
}

export declare class VerifiedBundle {
    #private;
    readonly ref: BundleRef;
    readonly manifest: Manifest;
    readonly signedBy: readonly string[];
    readonly model: AccessModel;
    readonly policies: ReadonlyMap<string, unknown>;
    readonly compiled: CompiledPolicies;
    readonly shadow: CompiledPolicies | undefined;
    readonly entities: EntityStore;
    private constructor();
    routes(service: string): RouteTable | undefined;
    static verify(file: Uint8Array, options: VerifyBundleOptions): Promise<VerifiedBundle>;
}

export interface VerifyBundleOptions extends FreshnessOptions {
    readonly trust: PolicyTrust;
    readonly services?: readonly string[];
}

export type Warning = Pick<Finding, "file" | "line" | "reason">;

export interface WhoCan {
    readonly principals: readonly EntityUid[];
    readonly access: Access;
}

export interface WidenedRoute {
    readonly path: string;
    readonly actions: RouteDeclaration["actions"];
}

export interface WorkloadDeclaration {
    readonly id: string;
    readonly kind: "service" | "job" | "ai-agent" | "node";
    readonly attested: readonly string[];
}

export declare function actionOf(name: ActionName | "read" | "write" | "admin"): EntityUid;

export declare function addSignature(file: Uint8Array, signer: PolicySigner): Promise<Uint8Array<ArrayBuffer>>;

export declare function buildBundle({ folder, findings }: ReadFolder, { schema, ...options }: BuildBundleOptions): Promise<UnsignedBundle>;

export declare function buildRequest(principal: Principal, action: ActionName, resource: EntityUid, facts: RequestFacts): AuthzRequest;

export declare function checkFolder(files: ReadonlyMap<string, string>, tools: FolderTools): ReadFolder;

export declare function checkOwnership(folder: Folder): readonly Finding[];

export declare function codeowners({ owners, teams }: Org, options?: {
    prefix?: string;
}): string;

export declare function compareFolders(before: Folder | undefined, after: Folder): FolderDiff;

export declare function compilePolicies(policies: Iterable<readonly [string, unknown]>): CompiledPolicies;

export declare function createPolicyKey(algorithm: PolicyAlgorithm): Promise<PolicyKeyPair>;

export declare function cutBundle(file: Uint8Array, services: readonly string[]): Uint8Array<ArrayBuffer>;

export declare function decide(policies: CompiledPolicies, entities: EntitySource, request: AuthzRequest): Decision;

export declare function diffAccess({ before, after, reachables }: DiffInput): readonly AccessChange[];

export declare function drawGraph(graph: AccessGraph, model: AccessModel, { from, to }?: DrawOptions): GraphDrawing;

export declare function enforce(decision: Decision): Verdict;

export declare function entityOf(type: EntityType, id: string): EntityUid;

export declare function firstRefusal(reasons: readonly DecisionReason[]): DecisionReason;

export declare function folderWarnings(folder: Folder, { now }: {
    readonly now: number;
}): readonly Warning[];

export declare function formatDecisionRecord(record: DecisionRecord): string;

export declare function graphOfFolder(folder: Folder, options?: GraphOptions): AccessGraph;

export declare function graphToDot(drawing: GraphDrawing): string;

export declare function graphToMermaid(drawing: GraphDrawing): string;

export declare function importOpenApi(document: unknown): ImportedRoutes;

export declare function isActionName(text: string): text is ActionName;

export declare function isMoreAccess(diff: FolderDiff): boolean;

export declare function isOfKnownDomain(caller: string, { trustDomain, federated }: Pick<AccessModel, "trustDomain" | "federated">): boolean;

export declare function modelEntities(model: AccessModel, unlisted?: readonly EntityInput[]): EntityStore;

export declare function nameOf({ type, id }: EntityUid): string;

export declare function openPolicySigner(privatePem: string): Promise<PolicySigner>;

export declare function openRecordedBundle(file: Uint8Array, { trust }: Pick<VerifyBundleOptions, "trust">): Promise<RecordedBundle>;

export declare function parseDecisionRecord(line: string): DecisionRecord;

export declare function parseEntities(json: unknown): readonly EntityInput[];

export declare function parsePolicy(id: string, json: unknown): Policy;

export declare function parsePolicyKeys(pem: string): Promise<readonly PolicyKey[]>;

export declare function parseRecord(json: unknown): CedarRecord;

export declare function parseValue(json: unknown): Value;

export declare function pathText(path: readonly Hop[]): string;

export declare function placePolicies({ model, policies }: Folder): Placement;

export declare function planRoutes({ routes }: Pick<ServiceDeclaration, "routes">, imported: readonly RouteDeclaration[]): RoutesPlan;

export declare function policiesOf({ policies }: Folder, options?: {
    readonly shadow?: boolean;
}): ReadonlyMap<string, unknown>;

export declare function principalFrom({ type, id }: EntityUid): Principal;

export declare function principalOf(principal: Principal): EntityUid;

export declare function principalsOf({ users, devices, workloads }: AccessModel): readonly EntityUid[];

export declare function printExpression(json: unknown): string;

export declare function proposeAccess(folder: Folder, ask: AccessRequest): AccessProposal;

export declare function reach(graph: AccessGraph, principal: EntityUid, reachables: readonly Reachable[]): readonly Reach[];

export declare function reachablesOf({ services }: AccessModel): readonly Reachable[];

export declare function readAccessLog(lines: Iterable<string>, { since }?: {
    readonly since?: number;
}): AccessLog;

export declare function readAction(text: string): ActionName;

export declare function readCaller(text: string, model: AccessModel): EntityUid;

export declare function readFolder(files: ReadonlyMap<string, string>, parsers: FolderParsers): ReadFolder;

export declare function readResource(text: string, action: ActionName, model: AccessModel): NamedResource;

export declare function reasonOf(decision: Decision): DecisionReason;

export declare function renderDiff(diff: FolderDiff): string;

export declare function renderPullRequest(diff: FolderDiff): string;

export declare function replayRecord(bundle: ReplayBundle, record: DecisionRecord): Replayed;

export declare function requestsOfRecord(record: DecisionRecord): readonly AuthzRequest[];

export declare function routesOfOpenApi(document: unknown): readonly RouteDeclaration[];

export declare function routesOfProto(source: string): readonly RouteDeclaration[];

export declare function runFolderTests(folder: Folder, { now }: {
    readonly now: number;
}): readonly TestOutcome[];

export declare function shadowDiff(folder: Folder): FolderDiff;

export declare function suggestPermits(folder: Folder, graph: AccessGraph, edges: readonly SeenEdge[]): Suggestions;

export declare function unlistedCallers(folders: readonly Folder[]): readonly string[];

export declare function unusedPermits(folder: Folder, graph: AccessGraph, edges: readonly SeenEdge[]): readonly UnusedPermit[];

export declare function verifyBundle(file: Uint8Array, options: VerifyBundleOptions): Promise<VerifiedBundle>;

export declare function whoCan(graph: AccessGraph, action: EntityUid, resource: EntityUid): readonly WhoCan[];

export declare function why(policies: ReadonlyMap<string, unknown>, entities: EntitySource, request: AuthzRequest): Explanation;

export declare function workloadEntities(model: Pick<AccessModel, "trustDomain" | "idOwners">, { id, kind, attested }: WorkloadDeclaration): readonly EntityInput[];

export declare function worthShowing(principals: readonly EntityUid[], models: readonly AccessModel[], has: (listed: EntityUid) => boolean): readonly EntityUid[];

// @bonafide/authz/node

export declare class BundleFile implements AsyncDisposable {
    #private;
    private constructor();
    static open(options: BundleFileOptions, { signal }?: {
        readonly signal?: AbortSignal;
    }): Promise<BundleFile>;
    get current(): VerifiedBundle | undefined;
    get problem(): BonafideError | undefined;
    look(): Promise<void>;
    close(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
}

export interface BundleFileOptions {
    readonly file: string;
    readonly trust: PolicyTrust;
    readonly trustDomain: string;
    readonly services: readonly string[];
    readonly keep?: string;
    readonly onProblem?: (error: BonafideError) => void;
    readonly onAdopted?: (bundle: VerifiedBundle) => void;
    readonly pollMs?: number;
    readonly clock?: Clock;
}

export declare function openBundleFile(options: BundleFileOptions, { signal }?: {
    readonly signal?: AbortSignal;
}): Promise<BundleFile>;

// @bonafide/authz/routes

export interface AppRoutes {
    readonly routes: readonly RouteDeclaration[];
    readonly skipped: readonly SkippedRoute[];
}

export interface ExpressRoutesOptions {
    readonly mounts?: ReadonlyMap<unknown, string>;
}

export interface FastifyLike {
    addHook(name: "onRoute", hook: (route: {
        readonly method: string | string[];
        readonly url: string;
    }) => void): unknown;
}

export interface SkippedRoute {
    readonly path: string;
    readonly reason: string;
}

export declare function renderRoutesFile(service: string, { routes, skipped }: AppRoutes): string;

export declare function routesOfExpress(app: unknown, options?: ExpressRoutesOptions): AppRoutes;

export declare function routesOfGrpc(app: object): AppRoutes;

export declare function watchFastifyRoutes(app: FastifyLike): () => AppRoutes;
