export { HeldKeys } from "./held-keys.ts";
export { InProcessKeyManager } from "./in-process-key-manager.ts";
export {
  type CanSignInProcess,
  canSignInProcess,
  type KeyManager,
  type ManagedKey,
  type ManagedKeyAlgorithm,
} from "./key-manager.ts";
export { KEY_MANAGER_ERRORS } from "./key-manager-errors.ts";
export { checkKeySlot, isKeySlot, isSameManagedKey } from "./key-slot.ts";
export {
  type AttestedNode,
  NODE_ATTESTOR_ERRORS,
  type NodeAttestation,
  type NodeAttestor,
  type NodeProof,
  type NodeProver,
} from "./node-attestor.ts";
export type {
  AppendBatch,
  Erasure,
  Head,
  LedgerStore,
  ObjectRef,
  StoredLeaf,
  StoredNode,
} from "./store/ledger-store.ts";
export type {
  AuthorityStore,
  EntryFilter,
  EntryStore,
  JoinTokenStore,
  NodeFilter,
  NodeSoftState,
  NodeStore,
  PageRequest,
  ProjectionStore,
  SetMatch,
  SoftStateStore,
  StoredNodeObject,
  StoredObject,
} from "./store/read-stores.ts";
export type { Store } from "./store/store.ts";
export { STORE_ERRORS, type StoreErrorCode } from "./store/store-errors.ts";
export {
  APPEND_LEAVES_MAX,
  FILTER_WORDS_MAX,
  PAGE_MAX,
  SOFT_STATES_MAX,
} from "./store/store-limits.ts";
export type {
  CallerFacts,
  Grade,
  NamespaceKind,
  ObservedSelector,
  OmissionReason,
  OmittedFact,
  ProcFact,
  WorkloadAttestor,
  WorkloadCaller,
  WorkloadFacts,
} from "./workload-attestor.ts";
export { checkBatch, checkFilter, checkLimit, checkSoftStates } from "./store/check-arguments.ts";
export { readStoredObject } from "./store/stored-object.ts";
export {
  type CanPublishJwtKeys,
  canPublishJwtKeys,
  type MintedAuthority,
  type MintRequest,
  UPSTREAM_AUTHORITY_ERRORS,
  type UpstreamAuthority,
  type UpstreamBundle,
  type UpstreamJwtKey,
  type UpstreamRoot,
} from "./upstream-authority.ts";
