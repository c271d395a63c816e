export { openTestServer, type TestServer } from "./open-test-server.ts";
