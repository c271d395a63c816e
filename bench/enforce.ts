import { get } from "node:https";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { readFolder } from "@bonafide/authz";
import { Enforcer } from "@bonafide/enforce";
import { signedBundle } from "@bonafide/enforce/testing";
import { createHttpsAgent, createHttpsServer, memberOf, type VerifiedPeer } from "@bonafide/spiffe";
import { TestTrustDomain } from "@bonafide/spiffe/testing";
import { type Bench, type Sample, sampleOf, type WindowOptions } from "./harness/bench.ts";

/** What `authorize()` adds to a call, and what counting 10,000 edges takes. */
export const benches: readonly Bench[] = [
  {
    name: "enforce-authorize",
    unit: "us",
    target: { of: "value", atMost: 20 },
    run: measureAuthorize,
  },
  { name: "enforce-edges", unit: "MB", target: { of: "value", atMost: 10 }, run: measureEdges },
];

const ROUTES = 10_000;
const BATCHES = 9;
const CALLER = "/ns/shop/checkout";

/** CPU time of one call: route, decision, count; the median of batches over 10,000 declared routes. */
async function measureAuthorize({ windowMs }: WindowOptions): Promise<Sample> {
  const { enforcer, peer } = await made();
  const times: number[] = [];
  for (let batch = 0; batch < BATCHES; batch++) {
    const end = performance.now() + windowMs / BATCHES;
    const begun = process.cpuUsage();
    let calls = 0;
    do {
      callAll(enforcer, peer);
      calls += ROUTES;
    } while (performance.now() < end);
    const { user, system } = process.cpuUsage(begun);
    times.push((user + system) / calls);
  }
  return sampleOf(times.toSorted((a, b) => a - b)[Math.floor(BATCHES / 2)] ?? 0, null);
}

/** Memory that stays when each of 10,000 routes was called, as many edges as are counted one by one. */
async function measureEdges(): Promise<Sample> {
  const { enforcer, peer } = await made();
  callAll(enforcer, peer);
  enforcer.takeEdges();
  const before = heap();
  callAll(enforcer, peer);
  const taken = heap() - before;
  if (enforcer.takeEdges().edges.length !== ROUTES) throw new Error("not every edge was counted");
  if (taken <= 0) throw new Error("edges that take no memory were not measured");
  return sampleOf(taken / 1e6, null);
}

function callAll(enforcer: Enforcer, peer: VerifiedPeer): void {
  for (let route = 0; route < ROUTES; route++) {
    const asked = { path: `/v1/things${route}/7` };
    if (!enforcer.authorize({ peer, action: "http.GET", asked }).allowed) throw new Error("denied");
  }
}

/** What is in use after all garbage is gone; V8 tells only once it may be asked to collect. */
function heap(): number {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect !== "function") throw new Error("V8 collects no garbage on demand");
  // Twice, since the first finds what the second frees.
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

async function made(): Promise<{ enforcer: Enforcer; peer: VerifiedPeer }> {
  const files = {
    "org.yaml": {
      trustDomain: "example.org",
      teams: {
        t: { owners: ["@t"], ids: ["spiffe://example.org/ns/t"] },
        shop: { owners: ["@s"], ids: ["spiffe://example.org/ns/shop"] },
      },
    },
    "workloads.yaml": { workloads: { [`spiffe://example.org${CALLER}`]: {} } },
    "teams/t/team.yaml": { services: { things: {} } },
    "teams/t/routes/things.yaml": {
      service: "things",
      routes: Array.from({ length: ROUTES }, (_, index) => ({
        path: `/v1/things${index}/{id}`,
        methods: ["GET"],
      })),
    },
    "teams/t/policies/shop.yaml": {
      allow: [{ id: "shop", reason: "-", from: "spiffe://example.org/ns/shop/*", to: "things" }],
    },
  };
  const texts = Object.entries(files).map(([path, json]) => [path, JSON.stringify(json)] as const);
  // Every JSON is YAML.
  const parsers = { yaml: (text: string): unknown => JSON.parse(text), cedar: () => undefined };
  const bundle = await signedBundle(readFolder(new Map(texts), parsers));
  const enforcer = new Enforcer({
    service: "things",
    bundle: { current: bundle },
    recordAllowedEvery: 0,
  });
  return { enforcer, peer: await connectedPeer() };
}

/** A verified peer comes from a connection only. */
async function connectedPeer(): Promise<VerifiedPeer> {
  const domain = new TestTrustDomain("example.org");
  const authorize = memberOf("example.org");
  const agent = createHttpsAgent({ source: domain.source(CALLER), authorize });
  const { promise, resolve, reject } = Promise.withResolvers<VerifiedPeer>();
  await using server = createHttpsServer(
    { source: domain.source("/ns/t/things"), authorize },
    (request, response) => {
      resolve(request.peer);
      response.end();
    },
  );
  const port = await server.listen({ port: 0, host: "127.0.0.1" });
  get({ host: "127.0.0.1", port, agent, path: "/" }, (response) => response.resume()).on(
    "error",
    reject,
  );
  const peer = await promise;
  agent.destroy();
  return peer;
}
