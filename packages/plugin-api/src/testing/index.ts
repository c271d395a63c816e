export { type DatabaseState, MemoryDatabase } from "./memory-database.ts";
export { type MemoryStore, openMemoryStore } from "./memory-store.ts";
