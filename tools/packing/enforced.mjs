// Runs in an empty project, on each Node line: a signed bundle decides about verified callers, from the packed files.
import assert from "node:assert/strict";
import { get } from "node:https";
import process from "node:process";
import {
  buildBundle,
  createPolicyKey,
  openPolicySigner,
  PolicyTrust,
  readFolder,
  verifyBundle,
} from "@bonafide/authz";
import { watchFastifyRoutes } from "@bonafide/authz/routes";
import { authorizeHttp, Enforcer } from "@bonafide/enforce";
import { createHttpsAgent, createHttpsServer, exactId, memberOf } from "@bonafide/spiffe";
import { TestTrustDomain } from "@bonafide/spiffe/testing";

// JSON is YAML, and the short form needs no parser of Cedar.
const files = new Map(
  Object.entries({
    "org.yaml": {
      trustDomain: "a.example",
      owners: ["@org"],
      teams: { web: { owners: ["@web"], ids: ["spiffe://a.example/web"] } },
    },
    "teams/web/team.yaml": { services: { web: {} } },
    "teams/web/routes/web.yaml": {
      service: "web",
      routes: [{ path: "/v1/{id}", methods: ["GET"] }],
    },
    "teams/web/policies/p.yaml": {
      allow: [{ id: "p", reason: "r", from: "spiffe://a.example/client", to: "web/v1/{id}" }],
    },
  }).map(([path, json]) => [path, JSON.stringify(json)]),
);
const folder = readFolder(files, { yaml: JSON.parse, cedar: JSON.parse });
const { key, privatePem } = await createPolicyKey("Ed25519");
const now = Date.now();
const built = await buildBundle(folder, { serial: 1, issued: now, expires: now + 60_000 });
const bundle = await verifyBundle(await built.sign(await openPolicySigner(privatePem)), {
  trust: PolicyTrust.of({ keys: [key], threshold: 1 }),
  trustDomain: "a.example",
  now,
});

const a = new TestTrustDomain("a.example");
const enforcer = new Enforcer({ service: "web", bundle: { current: bundle } });
const server = createHttpsServer(
  { source: a.source("/web/api"), authorize: memberOf("a.example") },
  authorizeHttp(enforcer, (_request, response) => response.end("allowed")),
);
const port = await server.listen({ port: 0, host: "127.0.0.1" });
assert.equal(await statusOf("/client", "/v1/7"), 200);
assert.equal(await statusOf("/client", "/v2/7"), 403);
assert.equal(await statusOf("/other", "/v1/7"), 403);
assert.deepEqual(
  enforcer.takeRecords().records.map(({ reason }) => reason),
  ["no_permit", "no_permit"],
);
await server.close();
assert.equal(typeof watchFastifyRoutes, "function");
process.stdout.write(`Node ${process.version}: a signed bundle decided\n`);

function statusOf(caller, path) {
  const authorize = exactId("spiffe://a.example/web/api");
  const agent = createHttpsAgent({ source: a.source(caller), authorize });
  return new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port, agent, path }, (response) => {
      response.resume().on("end", () => resolve(response.statusCode));
    }).on("error", reject);
  }).finally(() => agent.destroy());
}
