export { TestCa, type TestIdentity } from "./test-ca.ts";
