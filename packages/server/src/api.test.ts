import { openMemoryStore } from "@bonafide/plugin-api/testing";
import { serverSuite } from "./testing/server-suite.ts";

serverSuite("memory", () => Promise.resolve(openMemoryStore()));
