export { type CompiledPolicies, compilePolicies } from "./core/engine/compile.ts";
export {
  type AuthzRequest,
  decide,
  type Decision,
  enforce,
  type PolicyFault,
  type Verdict,
} from "./core/engine/decide.ts";
export {
  EMPTY_RECORD,
  type Entity,
  type EntityInput,
  type EntitySource,
  EntityStore,
  parseEntities,
} from "./core/engine/entities.ts";
export type { FaultKind } from "./core/engine/fault.ts";
export { parseRecord, parseValue } from "./core/engine/json.ts";
export {
  type Condition,
  parsePolicy,
  type Policy,
  type ScopeConstraint,
} from "./core/engine/policy.ts";
export { CedarRecord, CedarSet, EntityUid, type Value } from "./core/engine/values.ts";
export { AUTHZ_ERRORS, type AuthzErrorCode } from "./errors.ts";
export { checkFolder, type FolderTools, type PolicyComplaint } from "./core/folder/check-folder.ts";
export { checkOwnership } from "./core/folder/check-ownership.ts";
export { codeowners } from "./core/folder/codeowners.ts";
export type { Finding, FindingRule } from "./core/folder/finding.ts";
export {
  type AccessAsk,
  type Folder,
  type Org,
  policiesOf,
  type SourcedPolicy,
  type Team,
} from "./core/folder/folder.ts";
export { graphOfFolder, type GraphOptions, principalsOf } from "./core/folder/graph-of-folder.ts";
export { unlistedCallers, worthShowing } from "./core/folder/unlisted-callers.ts";
export {
  nameOf,
  type NamedResource,
  readAction,
  readCaller,
  readResource,
} from "./core/folder/names.ts";
export { type FolderParsers, readFolder, type ReadFolder } from "./core/folder/read-folder.ts";
export {
  type ActionName,
  actionOf,
  ACTIONS,
  entityOf,
  type EntityType,
  isActionName,
} from "./core/model/entity-names.ts";
export {
  type AccessModel,
  type DeviceDeclaration,
  isOfKnownDomain,
  modelEntities,
  type Reachable,
  reachablesOf,
  type RouteDeclaration,
  type ServiceDeclaration,
  type SubjectRule,
  type ThingDeclaration,
  UNDECLARED,
  type UserDeclaration,
  type WorkloadDeclaration,
  workloadEntities,
} from "./core/model/model.ts";
export {
  buildRequest,
  type OnBehalfOf,
  type Principal,
  principalFrom,
  principalOf,
  type RequestFacts,
} from "./core/model/request.ts";
export { pathText, runFolderTests, type TestOutcome } from "./core/folder/run-tests.ts";
export type { SourcedTest } from "./core/folder/read-tests.ts";
export { BASE_SCHEMA } from "./core/model/schema.ts";
export {
  type Access,
  AccessGraph,
  type AccessGraphParts,
  type PrincipalClass,
} from "./core/graph/access.ts";
export {
  type AnnotatedChange,
  compareFolders,
  type DataPath,
  type Declassified,
  type FolderDiff,
  isMoreAccess,
  shadowDiff,
} from "./core/folder/compare-folders.ts";
export { type LatentPermit } from "./core/folder/latent-permits.ts";
export { folderWarnings, type Warning } from "./core/folder/folder-warnings.ts";
export { planRoutes, type RoutesPlan, type WidenedRoute } from "./core/folder/plan-routes.ts";
export { type SubjectChange } from "./core/folder/subject-changes.ts";
export {
  type AccessProposal,
  type AccessRequest,
  proposeAccess,
} from "./core/folder/propose-access.ts";
export {
  type NotSuggested,
  type Suggestion,
  type Suggestions,
  suggestPermits,
  type UnusedPermit,
  unusedPermits,
} from "./core/folder/suggest.ts";
export { type AccessLog, readAccessLog, type SeenEdge } from "./core/record/access-log.ts";
export { renderDiff, renderPullRequest } from "./core/folder/render-diff.ts";
export { type AccessChange, diffAccess, type DiffInput } from "./core/graph/diff.ts";
export {
  drawGraph,
  type DrawOptions,
  type GraphDrawing,
  type GraphEdge,
  graphToDot,
  graphToMermaid,
} from "./core/graph/draw-graph.ts";
export { AccessPaths, type Hop } from "./core/graph/paths.ts";
export { printExpression } from "./core/graph/print-expression.ts";
export {
  type Explanation,
  type PolicyAccount,
  reach,
  type Reach,
  type WhoCan,
  whoCan,
  why,
} from "./core/graph/questions.ts";
export {
  type ImportedRoutes,
  importOpenApi,
  routesOfOpenApi,
  routesOfProto,
  type SkippedRoute,
} from "./core/model/import-routes.ts";
export { type MatchedRoute, RouteTable } from "./core/model/route-table.ts";
export {
  type BundleRef,
  DECISION_REASONS,
  type DecisionReason,
  type DecisionRecord,
  type RecordedEdge,
  type ShadowAnswer,
} from "./core/record/decision-record.ts";
export {
  formatDecisionRecord,
  parseDecisionRecord,
  requestsOfRecord,
} from "./core/record/record-line.ts";
export { ENGINE_VERSION, type Manifest, type SliceDigest } from "./core/bundle/manifest.ts";
export { placePolicies, type Placement } from "./core/bundle/place-policies.ts";
export { type FreshnessOptions } from "./core/bundle/freshness.ts";
export {
  addSignature,
  buildBundle,
  type BuildBundleOptions,
  cutBundle,
  type UnsignedBundle,
} from "./bundle/build-bundle.ts";
export {
  createPolicyKey,
  openPolicySigner,
  parsePolicyKeys,
  type PolicyAlgorithm,
  type PolicyKey,
  type PolicyKeyPair,
  type PolicySigner,
  PolicyTrust,
  type PolicyTrustOptions,
} from "./bundle/policy-keys.ts";
export {
  openRecordedBundle,
  type RecordedBundle,
  VerifiedBundle,
  verifyBundle,
  type VerifyBundleOptions,
} from "./bundle/verified-bundle.ts";
export { CallerEntities, type KnownCallers } from "./core/model/caller-entities.ts";
export { firstRefusal, reasonOf } from "./core/record/decision-reason.ts";
export {
  type ReplayBundle,
  type Replayed,
  type ReplayedEdge,
  replayRecord,
} from "./core/record/replay.ts";
