export { type DiskKeyManagerOptions, openDiskKeyManager } from "./disk-key-manager.ts";
