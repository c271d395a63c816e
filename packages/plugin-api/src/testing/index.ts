export { keyManagerContract } from "./key-manager-contract.ts";
export { LeafWriter } from "./leaf-writer.ts";
export { type DatabaseState, MemoryDatabase } from "./memory-database.ts";
export { openMemoryKeyManager } from "./memory-key-manager.ts";
export { type MemoryStore, openMemoryStore } from "./memory-store.ts";
export { storeContract, type StoreUnderTest } from "./store-contract.ts";
export { makeWorkloadCaller, workloadAttestorContract } from "./workload-attestor-contract.ts";
