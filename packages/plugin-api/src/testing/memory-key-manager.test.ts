import { keyManagerContract, openMemoryKeyManager } from "./index.ts";

keyManagerContract("memory, for tests", async () => openMemoryKeyManager());
