export { keyManagerContract } from "./key-manager-contract.ts";
export { type DatabaseState, MemoryDatabase } from "./memory-database.ts";
export { type MemoryStore, openMemoryStore } from "./memory-store.ts";
