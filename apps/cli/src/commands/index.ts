import type { CommandEntry } from "../program.ts";

/** Every command, in the order of help. Each is loaded when it is called. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: "up",
    summary: "starts everything, with a demo",
    load: async () => (await import("./up.ts")).up,
  },
  {
    name: "status",
    summary: "says how all stands, and how long it lasts without servers",
    load: async () => (await import("./status.ts")).status,
  },
  {
    name: "server run",
    summary: "runs a server",
    load: async () => (await import("./server-run.ts")).serverRun,
  },
  {
    name: "server validate",
    summary: "checks a server's configuration",
    load: async () => (await import("./server-validate.ts")).serverValidate,
  },
  {
    name: "server healthcheck",
    summary: "asks whether a server serves",
    load: async () => (await import("./server-healthcheck.ts")).serverHealthcheck,
  },
  {
    name: "server info",
    summary: "says what a server holds",
    load: async () => (await import("./debug-info.ts")).serverInfo,
  },
  {
    name: "server logger get",
    summary: "says how much a server logs",
    load: async () => (await import("./logger.ts")).serverLoggerGet,
  },
  {
    name: "server logger set",
    summary: "changes how much a server logs",
    load: async () => (await import("./logger.ts")).serverLoggerSet,
  },
  {
    name: "server logger reset",
    summary: "undoes that",
    load: async () => (await import("./logger.ts")).serverLoggerReset,
  },
  {
    name: "agent run",
    summary: "runs the agent of a node",
    load: async () => (await import("./agent-run.ts")).agentRun,
  },
  {
    name: "agent validate",
    summary: "checks an agent's configuration",
    load: async () => (await import("./agent-validate.ts")).agentValidate,
  },
  {
    name: "agent healthcheck",
    summary: "asks whether an agent serves",
    load: async () => (await import("./agent-healthcheck.ts")).agentHealthcheck,
  },
  {
    name: "agent info",
    summary: "says what an agent holds",
    load: async () => (await import("./debug-info.ts")).agentInfo,
  },
  {
    name: "agent logger get",
    summary: "says how much an agent logs",
    load: async () => (await import("./logger.ts")).agentLoggerGet,
  },
  {
    name: "agent logger set",
    summary: "changes how much an agent logs",
    load: async () => (await import("./logger.ts")).agentLoggerSet,
  },
  {
    name: "agent logger reset",
    summary: "undoes that",
    load: async () => (await import("./logger.ts")).agentLoggerReset,
  },
  {
    name: "agent list",
    summary: "lists nodes that have joined",
    load: async () => (await import("./agent-list.ts")).agentList,
  },
  {
    name: "agent show",
    summary: "shows one node",
    load: async () => (await import("./agent-show.ts")).agentShow,
  },
  {
    name: "agent count",
    summary: "counts nodes",
    load: async () => (await import("./agent-count.ts")).agentCount,
  },
  {
    name: "agent ban",
    summary: "shuts a node out",
    load: async () => (await import("./agent-ban.ts")).agentBan,
  },
  {
    name: "agent evict",
    summary: "forgets a node",
    load: async () => (await import("./agent-evict.ts")).agentEvict,
  },
  {
    name: "agent purge",
    summary: "forgets nodes that expired long ago",
    load: async () => (await import("./agent-purge.ts")).agentPurge,
  },
  {
    name: "token create",
    summary: "makes a join token",
    load: async () => (await import("./token-create.ts")).tokenCreate,
  },
  {
    name: "entry create",
    summary: "gives processes an identity",
    load: async () => (await import("./entry-create.ts")).entryCreate,
  },
  {
    name: "entry update",
    summary: "changes an entry",
    load: async () => (await import("./entry-update.ts")).entryUpdate,
  },
  {
    name: "entry list",
    summary: "lists registration entries",
    load: async () => (await import("./entry-list.ts")).entryList,
  },
  {
    name: "entry show",
    summary: "shows one entry",
    load: async () => (await import("./entry-show.ts")).entryShow,
  },
  {
    name: "entry count",
    summary: "counts registration entries",
    load: async () => (await import("./entry-count.ts")).entryCount,
  },
  {
    name: "entry delete",
    summary: "deletes entries",
    load: async () => (await import("./entry-delete.ts")).entryDelete,
  },
  {
    name: "bundle show",
    summary: "prints the trust bundle",
    load: async () => (await import("./bundle-show.ts")).bundleShow,
  },
  {
    name: "bundle list",
    summary: "prints other domains' bundles",
    load: async () => (await import("./bundle-list.ts")).bundleList,
  },
  {
    name: "bundle set",
    summary: "keeps another domain's bundle",
    load: async () => (await import("./bundle-set.ts")).bundleSet,
  },
  {
    name: "bundle delete",
    summary: "deletes another domain's bundle",
    load: async () => (await import("./bundle-delete.ts")).bundleDelete,
  },
  {
    name: "bundle count",
    summary: "counts bundles",
    load: async () => (await import("./bundle-count.ts")).bundleCount,
  },
  {
    name: "federation create",
    summary: "begins to fetch a bundle",
    load: async () => (await import("./federation-write.ts")).federationCreate,
  },
  {
    name: "federation update",
    summary: "changes how it is fetched",
    load: async () => (await import("./federation-write.ts")).federationUpdate,
  },
  {
    name: "federation list",
    summary: "lists whose bundles are fetched",
    load: async () => (await import("./federation-list.ts")).federationList,
  },
  {
    name: "federation show",
    summary: "shows one of them",
    load: async () => (await import("./federation-show.ts")).federationShow,
  },
  {
    name: "federation delete",
    summary: "ends fetching a bundle",
    load: async () => (await import("./federation-delete.ts")).federationDelete,
  },
  {
    name: "federation refresh",
    summary: "fetches a bundle now",
    load: async () => (await import("./federation-refresh.ts")).federationRefresh,
  },
  {
    name: "oidc run",
    summary: "serves an OIDC discovery document and keys",
    load: async () => (await import("./oidc-run.ts")).oidcRun,
  },
  {
    name: "localauthority x509 show",
    summary: "shows every X.509 authority of the trust domain",
    load: async () => (await import("./local-authority.ts")).localAuthorityShow("x509"),
  },
  {
    name: "localauthority x509 prepare",
    summary: "makes and publishes the next X.509 authority",
    load: async () => (await import("./local-authority.ts")).localAuthorityPrepare("x509"),
  },
  {
    name: "localauthority x509 activate",
    summary: "lets the prepared X.509 authority sign",
    load: async () => (await import("./local-authority.ts")).localAuthorityActivate("x509"),
  },
  {
    name: "localauthority x509 taint",
    summary: "tells everybody to move away from an old X.509 authority",
    load: async () => (await import("./local-authority.ts")).localAuthorityTaint("x509"),
  },
  {
    name: "localauthority x509 revoke",
    summary: "takes a tainted X.509 authority out of the bundle",
    load: async () => (await import("./local-authority.ts")).localAuthorityRevoke("x509"),
  },
  {
    name: "localauthority jwt show",
    summary: "shows every JWT authority of the trust domain",
    load: async () => (await import("./local-authority.ts")).localAuthorityShow("jwt"),
  },
  {
    name: "localauthority jwt prepare",
    summary: "makes and publishes the next JWT authority",
    load: async () => (await import("./local-authority.ts")).localAuthorityPrepare("jwt"),
  },
  {
    name: "localauthority jwt activate",
    summary: "lets the prepared JWT authority sign",
    load: async () => (await import("./local-authority.ts")).localAuthorityActivate("jwt"),
  },
  {
    name: "localauthority jwt taint",
    summary: "tells everybody to move away from an old JWT authority",
    load: async () => (await import("./local-authority.ts")).localAuthorityTaint("jwt"),
  },
  {
    name: "localauthority jwt revoke",
    summary: "takes a tainted JWT authority out of the bundle",
    load: async () => (await import("./local-authority.ts")).localAuthorityRevoke("jwt"),
  },
  {
    name: "upstreamauthority taint",
    summary: "tells everybody to move away from a root above",
    load: async () => (await import("./upstream-authority.ts")).upstreamAuthorityTaint,
  },
  {
    name: "upstreamauthority revoke",
    summary: "takes a tainted root above out of the bundle",
    load: async () => (await import("./upstream-authority.ts")).upstreamAuthorityRevoke,
  },
  {
    name: "api fetch x509",
    summary: "fetches this process's X509-SVIDs",
    load: async () => (await import("./api-fetch-x509.ts")).apiFetchX509,
  },
  {
    name: "api fetch jwt",
    summary: "fetches this process's JWT-SVIDs",
    load: async () => (await import("./api-fetch-jwt.ts")).apiFetchJwt,
  },
  {
    name: "api watch",
    summary: "prints this process's X509-SVIDs as they change",
    load: async () => (await import("./api-watch.ts")).apiWatch,
  },
  {
    name: "api validate jwt",
    summary: "judges somebody's JWT-SVID",
    load: async () => (await import("./api-validate-jwt.ts")).apiValidateJwt,
  },
  {
    name: "jwt mint",
    summary: "signs a JWT-SVID without an entry",
    load: async () => (await import("./jwt-mint.ts")).jwtMint,
  },
  {
    name: "x509 mint",
    summary: "signs an X509-SVID without an entry",
    load: async () => (await import("./x509-mint.ts")).x509Mint,
  },
  {
    name: "exec",
    summary: "starts a program under a name",
    load: async () => (await import("./exec.ts")).exec,
  },
  {
    name: "whoami",
    summary: "says which identities this process has",
    load: async () => (await import("./whoami.ts")).whoami,
  },
  {
    name: "why",
    summary: "says why a process has its identities, or none",
    load: async () => (await import("./why.ts")).why,
  },
  {
    name: "backup",
    summary: "copies a server's store",
    load: async () => (await import("./backup.ts")).backup,
  },
  {
    name: "restore",
    summary: "puts a backup in a store's place",
    load: async () => (await import("./restore.ts")).restore,
  },
  {
    name: "export spire",
    summary: "writes what a server of SPIRE's API holds",
    load: async () => (await import("./export-spire.ts")).exportSpire,
  },
  {
    name: "import spire",
    summary: "takes over what `export spire` wrote",
    load: async () => (await import("./import-spire.ts")).importSpire,
  },
  {
    name: "ledger log",
    summary: "shows every change of the control plane",
    load: async () => (await import("./ledger-log.ts")).ledgerLog,
  },
  {
    name: "ledger verify",
    summary: "recomputes every hash of the ledger",
    load: async () => (await import("./ledger-verify.ts")).ledgerVerify,
  },
  {
    name: "ledger export",
    summary: "writes the ledger for another verifier",
    load: async () => (await import("./ledger-export.ts")).ledgerExport,
  },
  {
    name: "ledger accept-rewind",
    summary: "answers a hold: the store is the truth",
    load: async () => (await import("./ledger-accept-rewind.ts")).ledgerAcceptRewind,
  },
  {
    name: "completion",
    summary: "completes this command line in a shell",
    load: async () => (await import("./completion.ts")).completion,
  },
  {
    name: "authz check",
    summary: "checks an access model",
    load: async () => (await import("./authz-check.ts")).authzCheck,
  },
  {
    name: "authz can",
    summary: "says whether somebody may do something",
    load: async () => (await import("./authz-can.ts")).authzCan,
  },
  {
    name: "authz why",
    summary: "says why one request is allowed or denied",
    load: async () => (await import("./authz-why.ts")).authzWhy,
  },
  {
    name: "authz who-can",
    summary: "lists everybody who may do something",
    load: async () => (await import("./authz-who-can.ts")).authzWhoCan,
  },
  {
    name: "authz reach",
    summary: "lists all that somebody may do",
    load: async () => (await import("./authz-reach.ts")).authzReach,
  },
  {
    name: "authz test",
    summary: "runs the decision tests and invariants of an access model",
    load: async () => (await import("./authz-test.ts")).authzTest,
  },
  {
    name: "authz diff",
    summary: "shows the access gained and lost between two revisions",
    load: async () => (await import("./authz-diff.ts")).authzDiff,
  },
  {
    name: "authz graph",
    summary: "draws who may call which service",
    load: async () => (await import("./authz-graph.ts")).authzGraph,
  },
  {
    name: "authz request",
    summary: "asks the owner of a route for access",
    load: async () => (await import("./authz-request.ts")).authzRequest,
  },
  {
    name: "authz routes import",
    summary: "declares the routes of an OpenAPI document, .proto files or a program",
    load: async () => (await import("./authz-routes-import.ts")).authzRoutesImport,
  },
  {
    name: "authz bundle keygen",
    summary: "makes a key that signs bundles of policies",
    load: async () => (await import("./authz-bundle-keygen.ts")).authzBundleKeygen,
  },
  {
    name: "authz bundle build",
    summary: "builds a bundle of a folder, and signs it first",
    load: async () => (await import("./authz-bundle-build.ts")).authzBundleBuild,
  },
  {
    name: "authz bundle sign",
    summary: "adds a signature, after building the same bundle again",
    load: async () => (await import("./authz-bundle-sign.ts")).authzBundleSign,
  },
  {
    name: "authz bundle verify",
    summary: "says whether a bundle would be adopted",
    load: async () => (await import("./authz-bundle-verify.ts")).authzBundleVerify,
  },
  {
    name: "authz bundle cut",
    summary: "cuts a bundle down to what one service needs",
    load: async () => (await import("./authz-bundle-cut.ts")).authzBundleCut,
  },
  {
    name: "authz suggest",
    summary: "suggests permits for calls that were denied",
    load: async () => (await import("./authz-suggest.ts")).authzSuggest,
  },
  {
    name: "authz unused",
    summary: "lists permits that nobody used",
    load: async () => (await import("./authz-unused.ts")).authzUnused,
  },
  {
    name: "authz codeowners",
    summary: "prints who has to review what",
    load: async () => (await import("./authz-codeowners.ts")).authzCodeowners,
  },
];
