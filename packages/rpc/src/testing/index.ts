export { openTestServer, type TestServer, type TestServerOptions } from "./open-test-server.ts";
