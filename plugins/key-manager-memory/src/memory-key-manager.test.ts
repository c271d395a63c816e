import { keyManagerContract } from "@bonafide/plugin-api/testing";
import { createMemoryKeyManager } from "./index.ts";

keyManagerContract("memory", async () => createMemoryKeyManager());
