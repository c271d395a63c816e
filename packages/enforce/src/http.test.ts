import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { connect } from "node:net";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import {
  type DecisionRecord,
  parseDecisionRecord,
  formatDecisionRecord,
  replayRecord,
  type VerifiedBundle,
} from "@bonafide/authz";
import { ManualClock } from "@bonafide/lifetime/testing";
import { createHttpsServer, type HttpsServer } from "@bonafide/spiffe";
import { createLocalJWKSet, exportJWK, generateKeyPair, jwtVerify, SignJWT } from "jose";
import { type Call, Enforcer, type EnforcerOptions } from "./enforcer.ts";
import { answerOf, authorizeHttp, type HttpAuthorizeOptions } from "./http.ts";
import { Field, type Received, send } from "./testing/field.ts";
import { paymentsBundle, paymentsOrg } from "./testing/payments-org.ts";

const bundle = await paymentsBundle({ serial: 7, lifeMs: 1e9 });
const [CHECKOUT, ADMIN] = ["/ns/shop/checkout", "/ns/shop/admin"];

test("what is permitted reaches the listener, and nothing else does", async () => {
  await using site = await Site.open();
  assert.deepEqual(await site.get(CHECKOUT, "/v1/refunds/7?amount=1"), {
    status: 200,
    body: "handled payments/v1/refunds/{id}",
  });
  const refused = await site.get("/ns/web/x", "/v1/refunds/7");
  assert.equal(refused.status, 403);
  const [record, ...more] = site.enforcer.takeRecords().records;
  assert.equal(more.length, 0);
  assert.deepEqual(JSON.parse(refused.body), { error: "CALL_DENIED", decision: record?.id });
  assert.equal(record?.reason, "no_permit");
  assert.equal(record?.sourceIp, "127.0.0.1");
  assert.equal(site.handled, 1);
});

test("without a bundle, and after its end, everything is refused; with one it goes on", async () => {
  const source: { current: VerifiedBundle | undefined } = { current: undefined };
  const clock = new ManualClock(Date.now());
  await using site = await Site.open({ bundle: source, clock });
  assert.equal((await site.get(ADMIN, "/v1/refunds/7")).status, 503);
  source.current = bundle;
  assert.equal((await site.get(ADMIN, "/v1/refunds/7")).status, 200);
  clock.jump(2e9);
  const { status, body } = await site.get(ADMIN, "/v1/refunds/7");
  assert.equal(status, 503);
  assert.match(body, /POLICY_NOT_READY/);
  source.current = await paymentsBundle({ serial: 8, now: clock.now() });
  assert.equal((await site.get(ADMIN, "/v1/refunds/7")).status, 200);
  const reasons = site.enforcer.takeRecords().records.map(({ reason }) => reason);
  assert.deepEqual(reasons, ["no_bundle", "bundle_expired"]);
});

test("methods and targets that are none of the model's are refused", async () => {
  await using site = await Site.open();
  for (const [method, path] of [
    ["OPTIONS", "/v1/refunds/7"],
    ["TRACE", "/v1/refunds/7"],
    ["PROPFIND", "/v1/refunds/7"],
    ["OPTIONS", "*"],
    ["GET", "https://example.org/v1/refunds/7"],
    ["GET", "//example.org/v1/refunds/7"],
    ["GET", "/v1/refunds/%2e%2e/%2e%2e/v1/Keys"],
    ["GET", "/v1/KEYS"],
  ] as const) {
    assert.equal((await site.get(ADMIN, path, { method })).status, 403, `${method} ${path}`);
  }
  assert.equal(site.handled, 0);
});

test("CONNECT reaches no listener, and an upgrade is a request like others", async () => {
  await using site = await Site.open();
  const upgrade = { headers: { connection: "upgrade", upgrade: "websocket" } };
  assert.equal((await site.get("/ns/web/x", "/v1/refunds/7", upgrade)).status, 403);
  await assert.rejects(site.get(ADMIN, "example.org:443", { method: "CONNECT" }));
  assert.equal(site.handled, 0);
});

test("a hundred thousand undeclared paths are one edge, and records stay within their bound", async () => {
  await using site = await Site.open({ recordsMax: 50 });
  const agent = site.field.agent("/ns/web/x");
  // By the wire a few, to see that it is the wire's path; the rest by the same function without it.
  for (let path = 0; path < 100; path++) await send(site.port, agent, `/v9/${path}`);
  const { edges, undeclared, denied } = site.enforcer.takeEdges();
  assert.deepEqual(
    edges.map(({ resource, count, reason }) => ({ resource, count, reason })),
    [{ resource: "payments/?", count: 100, reason: "no_permit" }],
  );
  assert.deepEqual([undeclared, denied], [100, 100]);
  const { records, dropped } = site.enforcer.takeRecords();
  assert.deepEqual([records.length, dropped], [50, 50]);
  assert.equal(records.at(-1)?.asked, "GET /v9/99");
  const peer = site.lastPeer ?? assert.fail();
  for (let path = 0; path < 100_000; path++) {
    site.enforcer.authorize({ peer, action: "http.GET", asked: { path: `/v9/${path}` } });
  }
  const report = site.enforcer.takeEdges();
  assert.deepEqual([report.edges.length, report.undeclared], [1, 100_000]);
  assert.equal(site.enforcer.takeRecords().records.length, 50);
});

test("every record is decided again to the same answer, by its bundle alone", async () => {
  await using site = await Site.open({ recordAllowedEvery: 1 }, { user: readUser });
  const paths = ["/v1/refunds/7", "/v1/Keys", "/v1/kinds", "/v1/payouts", "/v2/x", "/v1/internal"];
  for (const caller of [CHECKOUT, ADMIN, "/ns/shop/bot", "/ns/shop/unlisted"]) {
    for (const path of paths) {
      for (const user of ["", "alice", "bob"]) {
        const method = path.endsWith("payouts") ? "POST" : "GET";
        await site.get(caller, path, { method, headers: { "x-test-user": user } });
      }
    }
  }
  const { records } = site.enforcer.takeRecords();
  assert.equal(records.length, 4 * paths.length * 3);
  assert.ok(new Set(records.map(({ reason }) => reason)).size >= 6);
  for (const record of records) {
    const read = parseDecisionRecord(formatDecisionRecord(record));
    assert.deepEqual(read, record);
    assert.deepEqual(read.bundle, bundle.ref);
    const { edges, isSame } = replayRecord(bundle, read);
    assert.equal(edges.length, record.edges.length);
    assert.ok(isSame, formatDecisionRecord(record));
    assert.ok(!replayRecord(bundle, { ...read, allowed: !read.allowed }).isSame);
    // Of what a record holds, nothing can be told otherwise.
    for (const reason of ["permitted", "forbidden", "method_unknown", "bundle_expired"] as const) {
      // Grants are in no record.
      if (reason === read.reason || read.reason.startsWith("grant_")) continue;
      const other = { ...read, reason, allowed: reason === "permitted" };
      assert.ok(!replayRecord(bundle, other).isSame, formatDecisionRecord(other));
      assert.ok(!replayRecord(bundle, { ...other, edges: [] }).isSame);
    }
  }
});

test("the address of a caller is known, also when the connection was gone while a token was verified", async () => {
  await using site = await Site.open(
    { recordAllowedEvery: 1 },
    {
      user: async ({ socket }) => {
        socket.destroy();
        await once(socket, "close");
        return undefined;
      },
    },
  );
  await assert.rejects(site.get(CHECKOUT, "/v1/refunds/7", { method: "POST" }));
  while (site.handled === 0) await turn();
  assert.equal(site.enforcer.takeRecords().records[0]?.sourceIp, "127.0.0.1");
});

test("a candidate bundle is tried beside, counted and recorded where it differs, never acted on", async () => {
  const files = paymentsOrg();
  files.delete("teams/payments/policies/shop.yaml");
  const candidate = await paymentsBundle({ serial: 8, files });
  await using site = await Site.open({ candidate: { current: candidate }, recordAllowedEvery: 0 });
  assert.equal((await site.get(CHECKOUT, "/v1/refunds/7")).status, 200);
  assert.equal((await site.get("/ns/web/x", "/v1/refunds/7")).status, 403);
  const [record, ...others] = site.enforcer.takeRecords().records;
  assert.deepEqual(record?.candidate, {
    allowed: false,
    reason: "no_permit",
    policies: [],
    bundle: candidate.ref,
  });
  assert.equal(record.allowed, true);
  assert.deepEqual(
    others.map((other) => other.candidate),
    [undefined],
  );
  assert.deepEqual(
    site.enforcer.takeEdges().edges.map((edge) => edge.candidate),
    ["no_permit", ""],
  );
});

test("observing only, everything goes on, and the records say what would have been", async () => {
  await using site = await Site.open({ observeOnlyInsecure: true });
  assert.equal((await site.get("/ns/web/x", "/v1/refunds/7")).status, 200);
  const [record] = site.enforcer.takeRecords().records;
  assert.deepEqual([record?.allowed, record?.observed, record?.reason], [false, true, "no_permit"]);
});

test("an erring forbid denies and alarms", async () => {
  const alarms: DecisionRecord[] = [];
  await using site = await Site.open({ onAlarm: (record) => alarms.push(record) });
  assert.equal((await site.get("/ns/shop/unlisted", "/v1/kinds")).status, 403);
  assert.deepEqual(alarms[0]?.edges[0]?.faults, [
    { policyId: "payments/no-agents", effect: "forbid", fault: "attribute-missing" },
  ]);
});

test("of many allowed calls some are recorded, all are counted", async () => {
  await using site = await Site.open({ recordAllowedEvery: 10 });
  const agent = site.field.agent(CHECKOUT);
  for (let call = 0; call < 25; call++) await send(site.port, agent, "/v1/refunds/7");
  assert.equal(site.enforcer.takeRecords().records.length, 2);
  const { edges, allowed } = site.enforcer.takeEdges();
  assert.deepEqual([edges[0]?.count, allowed], [25, 25]);
});

test("a user's token, verified by a library against a key set: good, forged, foreign, missing", async () => {
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  const keys = createLocalJWKSet({ keys: [{ ...(await exportJWK(publicKey)), alg: "ES256" }] });
  const tokenOf = (
    key: typeof privateKey,
    audience = "payments",
    user = "alice",
  ): Promise<string> =>
    new SignJWT({})
      .setProtectedHeader({ alg: "ES256" })
      .setSubject(user)
      .setAudience(audience)
      .setExpirationTime("5m")
      .sign(key);
  await using site = await Site.open(
    {},
    {
      user: async ({ headers }) => {
        const [scheme, token = ""] = (headers.authorization ?? "").split(" ");
        if (scheme === "") return undefined;
        const { payload } = await jwtVerify(token, keys, {
          audience: "payments",
          algorithms: ["ES256"],
        });
        const { sub = "", exp = 0 } = payload;
        return { user: sub, actors: [], scopes: [], expiresAt: exp * 1000 };
      },
    },
  );
  const ask = async (token?: string): Promise<number | undefined> => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return (await site.get(CHECKOUT, "/v1/payouts", { method: "POST", headers })).status;
  };
  const stranger = await generateKeyPair("ES256");
  assert.equal(await ask(await tokenOf(privateKey)), 200);
  assert.equal(site.lastUser, "alice");
  assert.equal(await ask(await tokenOf(privateKey, "payments", "bob")), 403);
  assert.equal(await ask(await tokenOf(stranger.privateKey)), 403);
  assert.equal(await ask(await tokenOf(privateKey, "shop")), 403);
  assert.equal(await ask("x"), 403);
  assert.equal(await ask(), 403);
  assert.deepEqual(
    site.enforcer.takeRecords().records.map(({ reason }) => reason),
    ["no_permit", "token_invalid", "token_invalid", "token_invalid", "subject_required"],
  );
  for (const record of site.enforcer.takeRecords().records)
    assert.ok(!JSON.stringify(record).includes("eyJ"));
});

test("a verifier that throws at once denies, too", async () => {
  await using site = await Site.open(
    {},
    {
      user: () => {
        throw new Error("no verifier");
      },
    },
  );
  assert.equal((await site.get(ADMIN, "/v1/refunds/7")).status, 403);
});

test("what goes wrong after the token was verified denies, too", async () => {
  await using site = await Site.open(
    {
      onAlarm: () => {
        throw new Error("no pager");
      },
    },
    { user: async () => undefined },
  );
  assert.deepEqual(await site.get("/ns/shop/unlisted", "/v1/kinds"), {
    status: 403,
    body: '{"error":"CALL_DENIED","decision":""}',
  });
  assert.equal((await site.get(CHECKOUT, "/v1/kinds")).status, 200);
});

test("only a peer that was verified can be asked about", async () => {
  await using site = await Site.open();
  const peer = { spiffeId: "spiffe://example.org/ns/shop/admin" };
  const call: Call = JSON.parse(JSON.stringify({ peer, action: "http.GET", asked: { path: "/" } }));
  assert.throws(() => site.enforcer.authorize(call), TypeError);
});

test("plain TCP reaches nothing", async () => {
  await using site = await Site.open();
  const socket = connect(site.port, "127.0.0.1");
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.on("error", () => {});
  socket.end("GET /v1/refunds/7 HTTP/1.1\r\nhost: x\r\n\r\n");
  socket.resume();
  await closed;
  assert.equal(site.handled, 0);
});

async function readUser({
  headers,
}: IncomingMessage): Promise<
  | { user: string; actors: string[]; scopes: string[]; expiresAt: number; approvedAt: number }
  | undefined
> {
  const user = String(headers["x-test-user"] ?? "");
  const now = Date.now();
  return user === ""
    ? undefined
    : { user, actors: [], scopes: ["a"], expiresAt: now + 60_000, approvedAt: now - 5 };
}

/** A server of payments over HTTPS. */
class Site implements AsyncDisposable {
  readonly field = new Field();
  readonly enforcer: Enforcer;
  readonly #server: HttpsServer;
  port = 0;
  handled = 0;
  lastPeer: Parameters<Enforcer["authorize"]>[0]["peer"] | undefined;
  lastUser: string | undefined;

  private constructor(
    options: Partial<EnforcerOptions>,
    http: HttpAuthorizeOptions<IncomingMessage>,
  ) {
    this.enforcer = new Enforcer({ service: "payments", bundle: { current: bundle }, ...options });
    const { domain, authorize } = this.field;
    const listener = authorizeHttp(
      this.enforcer,
      (request, response) => {
        this.handled++;
        const answer = answerOf(request);
        this.lastUser = answer?.user;
        response.end(`handled ${answer?.resource?.id ?? "?"}`);
      },
      http,
    );
    this.#server = createHttpsServer(
      { source: domain.source("/ns/payments/api"), authorize },
      (request, response) => {
        this.lastPeer = request.peer;
        listener(request, response);
      },
    );
  }

  static async open(
    options: Partial<EnforcerOptions> = {},
    http: HttpAuthorizeOptions<IncomingMessage> = {},
  ): Promise<Site> {
    const site = new Site(options, http);
    site.port = await site.#server.listen({ port: 0, host: "127.0.0.1" });
    return site;
  }

  get(caller: string, path: string, options: Parameters<typeof send>[3] = {}): Promise<Received> {
    return send(this.port, this.field.agent(caller), path, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.field[Symbol.dispose]();
    await this.#server.close();
  }
}
