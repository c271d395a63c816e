export { createMemoryKeyManager } from "./memory-key-manager.ts";
