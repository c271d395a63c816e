export { openHostileServer, SERVER_SERVICES } from "./hostile-server.ts";
export { serverSuite } from "./server-suite.ts";
export {
  attest,
  collect,
  csrOf,
  failureOf,
  joinRequest,
  openTestServer,
  openTlsChannel,
  TD,
  type TestServer,
  type TestServerOptions,
  type TestSvid,
  wireIdOf,
} from "./test-server.ts";
