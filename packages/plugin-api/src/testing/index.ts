export { keyManagerContract } from "./key-manager-contract.ts";
export { LeafWriter } from "./leaf-writer.ts";
export { type DatabaseState, MemoryDatabase } from "./memory-database.ts";
export { openMemoryKeyManager } from "./memory-key-manager.ts";
export { type MemoryStore, openMemoryStore } from "./memory-store.ts";
export { nodeAttestorContract, type NodeAttestorUnderTest } from "./node-attestor-contract.ts";
export { storeContract, type StoreUnderTest } from "./store-contract.ts";
export { makeWorkloadCaller, workloadAttestorContract } from "./workload-attestor-contract.ts";
export { type MemoryUpstreamAuthority, openMemoryUpstream } from "./memory-upstream-authority.ts";
export {
  upstreamAuthorityContract,
  type UpstreamUnderTest,
} from "./upstream-authority-contract.ts";
