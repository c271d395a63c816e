import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { createRequire } from "node:module";
import { test } from "node:test";
import { createHttpsServer, type VerifiedRequestListener } from "@bonafide/spiffe";
import express from "express";
import fastify from "fastify";
import type { VerifiedUser } from "./core/verified-user.ts";
import { Enforcer } from "./enforcer.ts";
import { authorizeExpress } from "./express.ts";
import { authorizeFastify } from "./fastify.ts";
import type { HttpAuthorizeOptions } from "./http.ts";
import { Field, type Received, send } from "./testing/field.ts";
import { paymentsBundle } from "./testing/payments-org.ts";

const require = createRequire(import.meta.url);
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it has no types, and is called alike
const express4 = require("express4") as typeof express;
const EXPRESSES = [
  ["Express 5", express],
  ["Express 4", express4],
] as const;

const bundle = { current: await paymentsBundle() };
const [CHECKOUT, ADMIN, WEB] = ["/ns/shop/checkout", "/ns/shop/admin", "/ns/web/x"];

/** Spellings of `/v1/Keys`, which nobody may see, that some router would take for it. */
const SPELLINGS = [
  "/v1/Keys",
  "/v1/keys",
  "/V1/KEYS",
  "/v1/Keys/",
  "//v1/Keys",
  "/v1//Keys",
  "/v1/%4beys",
  "/v1/x/../Keys",
  "/v1/%2e/Keys",
  "/v1%2fKeys",
  "/v1/Keys;x",
  "/v1/Keys%20",
  "/v1/Keys.",
];

for (const [name, create] of EXPRESSES) {
  test(`${name}: what is permitted is answered, the rest never reaches a route`, async () => {
    const app = create();
    const enforcer = enforcerOf();
    app.use(authorizeExpress(enforcer));
    app.get(
      "/v1/refunds/:id",
      (request, response) => void response.send(`id ${request.params.id}`),
    );
    await using site = await Site.open(app);
    assert.deepEqual(await site.get(CHECKOUT, "/v1/refunds/7?x=1"), { status: 200, body: "id 7" });
    const refused = await site.get(WEB, "/v1/refunds/7");
    const [record] = enforcer.takeRecords().records;
    assert.equal(refused.status, 403);
    assert.deepEqual(JSON.parse(refused.body), { error: "CALL_DENIED", decision: record?.id });
  });

  test(`${name}: no spelling reaches a forbidden route, for one who may do everything else`, async () => {
    const app = create();
    app.use(authorizeExpress(enforcerOf()));
    app.get("/v1/Keys", (_request, response) => void response.send("secret"));
    app.get("/v1/:any", (_request, response) => void response.send("any"));
    app.use((_request, response) => void response.send("secret"));
    await using site = await Site.open(app);
    for (const path of SPELLINGS) {
      assert.equal((await site.get(ADMIN, path)).status, 403, path);
    }
    assert.equal((await site.get(ADMIN, "/v1/Other")).body, "any");
    assert.equal((await site.get(ADMIN, "/v2/anything")).status, 200);
  });

  test(`${name}: mounted below a path it decides about the whole path`, async () => {
    const app = create();
    const router = create.Router();
    router.use(authorizeExpress(enforcerOf()));
    router.get("/:id", (request, response) => void response.send(`id ${request.params.id}`));
    app.use("/v1/refunds", router);
    await using site = await Site.open(app);
    assert.equal((await site.get(CHECKOUT, "/v1/refunds/7")).body, "id 7");
    assert.equal((await site.get(WEB, "/v1/refunds/7")).status, 403);
    assert.equal((await site.get(ADMIN, "/v1/refunds")).status, 404);
  });

  test(`${name}: a URL that was rewritten before is refused, since the router will read another one`, async () => {
    const app = create();
    app.use((request, _response, next) => {
      request.url = "/v1/Keys";
      next();
    });
    app.use(authorizeExpress(enforcerOf()));
    app.use((_request, response) => void response.send("secret"));
    await using site = await Site.open(app);
    assert.equal((await site.get(ADMIN, "/v1/refunds/7")).status, 403);
  });

  test(`${name}: the route that it takes has to be the one that the bundle declares`, async () => {
    const app = create();
    const enforcer = enforcerOf();
    app.use(authorizeExpress(enforcer));
    app.get("/v1/:any", (request, response) => void response.send(`any ${request.params.any}`));
    app.get("/v1/kinds", (_request, response) => void response.send("kinds"));
    const inner = create.Router();
    inner.get("/me/cards", (_request, response) => void response.send("mine"));
    inner.get("/:user/cards", (_request, response) => void response.send("cards"));
    app.use("/v1", inner);
    const tenant = create.Router({ mergeParams: true });
    tenant.post("/:id", (_request, response) => void response.send("of a tenant"));
    app.use("/v1/:tenant", tenant);
    await using site = await Site.open(app);
    const refusedFor = async (path: string, method = "GET"): Promise<unknown> => {
      const { status } = await site.get(ADMIN, path, { method });
      return status === 403 ? enforcer.takeRecords().records.at(-1)?.reason : status;
    };
    assert.equal((await site.get(ADMIN, "/v1/x%40y")).body, "any x@y");
    // Express gives it to the parameter, which stands first.
    assert.equal(await refusedFor("/v1/kinds"), "route_disagreement");
    assert.equal(await refusedFor("/v1/kinds", "HEAD"), "route_disagreement");
    assert.equal((await site.get(ADMIN, "/v1/me/cards")).body, "mine");
    assert.equal(await refusedFor("/v1/refunds/7", "POST"), "route_disagreement");
    assert.equal(await refusedFor("/v1/%6binds"), "path_ambiguous");
    assert.equal(await refusedFor("/v1/%"), "path_ambiguous");
    assert.equal((await site.get(ADMIN, "/v2/none")).status, 404);
  });

  test(`${name}: routes that take all below a prefix count, also in applications within`, async () => {
    const app = create();
    const inner = create();
    inner.use(authorizeExpress(enforcerOf()));
    inner.all(/./, (_request, _response, next) => next());
    inner.get(["/refunds/:id", "/other"], (_request, response) => void response.send("refund"));
    inner.get("/:any", (_request, response) => void response.send("any"));
    inner.get("/kinds", (_request, response) => void response.send("kinds"));
    app.use("/v1", inner);
    app.use("/v2", create());
    await using site = await Site.open(app);
    assert.equal((await site.get(ADMIN, "/v1/kinds")).status, 403);
    assert.equal((await site.get(ADMIN, "/v2/kinds")).status, 404);
    assert.equal((await site.get(ADMIN, "/v1/refunds/7")).body, "refund");
    // The bundle knows it as a value of a parameter.
    assert.equal((await site.get(ADMIN, "/v1/other")).status, 403);
    assert.equal((await site.get(WEB, "/v1/refunds/7")).status, 403);
  });
}

test("Fastify: what is permitted is answered, the rest never reaches a route", async () => {
  const app = fastify();
  const enforcer = enforcerOf();
  app.addHook("onRequest", authorizeFastify(enforcer));
  app.get<{ Params: { id: string } }>("/v1/refunds/:id", ({ params }) => `id ${params.id}`);
  await app.ready();
  await using site = await Site.open((request, response) => app.routing(request, response));
  assert.deepEqual(await site.get(CHECKOUT, "/v1/refunds/7?x=1"), { status: 200, body: "id 7" });
  const refused = await site.get(WEB, "/v1/refunds/7");
  const [record] = enforcer.takeRecords().records;
  assert.deepEqual(JSON.parse(refused.body), { error: "CALL_DENIED", decision: record?.id });
  assert.equal((await site.get(ADMIN, "/v2/none")).status, 404);
  await app.close();
});

test("Fastify: no spelling reaches a forbidden route, also by a lax router", async () => {
  const app = fastify({
    routerOptions: {
      caseSensitive: false,
      ignoreTrailingSlash: true,
      ignoreDuplicateSlashes: true,
    },
  });
  app.addHook("onRequest", authorizeFastify(enforcerOf()));
  app.get("/v1/Keys", () => "secret");
  app.get("/v1/:any", () => "any");
  await app.ready();
  await using site = await Site.open((request, response) => app.routing(request, response));
  for (const path of SPELLINGS) {
    assert.equal((await site.get(ADMIN, path)).status, 403, path);
  }
  await app.close();
});

test("Fastify: a route that the bundle declares otherwise is refused", async () => {
  const app = fastify();
  const enforcer = enforcerOf();
  app.addHook("onRequest", authorizeFastify(enforcer));
  app.get("/v1/:kind/:id", () => "anything");
  app.get("/v3/:rest", () => "rest");
  app.get("/files/*", () => "file");
  await app.ready();
  await using site = await Site.open((request, response) => app.routing(request, response));
  assert.equal((await site.get(CHECKOUT, "/v1/refunds/7")).status, 403);
  assert.equal(enforcer.takeRecords().records[0]?.reason, "route_disagreement");
  assert.equal((await site.get(ADMIN, "/v3/x")).body, "rest");
  assert.equal((await site.get(ADMIN, "/files/a/b")).body, "file");
  await app.close();
});

test("Fastify: a rewritten URL is decided about as the router reads it", async () => {
  const app = fastify({ rewriteUrl: () => "/v1/Keys" });
  app.addHook("onRequest", authorizeFastify(enforcerOf()));
  app.get("/v1/Keys", () => "secret");
  await app.ready();
  await using site = await Site.open((request, response) => app.routing(request, response));
  assert.equal((await site.get(ADMIN, "/v1/refunds/7")).status, 403);
  await app.close();
});

test("frameworks: a HEAD that a GET would answer runs it only where it is declared", async () => {
  let secrets = 0;
  const web = express();
  web.use(authorizeExpress(enforcerOf()));
  web.get("/v1/Keys", (_request, response) => void response.send(`secret ${++secrets}`));
  web.get("/v1/kinds", (_request, response) => void response.send("kinds"));
  const app = fastify();
  app.addHook("onRequest", authorizeFastify(enforcerOf()));
  app.get("/v1/Keys", () => `secret ${++secrets}`);
  app.get("/v1/kinds", () => "kinds");
  await app.ready();
  for (const listener of [
    web,
    ((request, response) => app.routing(request, response)) satisfies VerifiedRequestListener,
  ]) {
    await using site = await Site.open(listener);
    assert.equal((await site.get(ADMIN, "/v1/Keys", { method: "HEAD" })).status, 403);
    assert.equal((await site.get(ADMIN, "/v1/kinds", { method: "HEAD" })).status, 200);
  }
  assert.equal(secrets, 0);
  await app.close();
});

test("frameworks: the route of the method is decided about, not the literal beside it", async () => {
  const web = express();
  const enforcers = [enforcerOf(), enforcerOf()] as const;
  web.use(authorizeExpress(enforcers[0]));
  web.get("/v1/me/cards", (_request, response) => void response.send("mine"));
  web.post("/v1/:user/cards", (_request, response) => void response.send("secret"));
  const app = fastify();
  app.addHook("onRequest", authorizeFastify(enforcers[1]));
  app.get("/v1/me/cards", () => "mine");
  app.post("/v1/:user/cards", () => "secret");
  await app.ready();
  for (const [index, listener] of [
    web,
    ((request, response) => app.routing(request, response)) satisfies VerifiedRequestListener,
  ].entries()) {
    await using site = await Site.open(listener);
    assert.equal((await site.get(ADMIN, "/v1/me/cards")).body, "mine");
    assert.equal((await site.get(ADMIN, "/v1/me/cards", { method: "POST" })).status, 403);
    assert.equal(enforcers[index]?.takeRecords().records.at(-1)?.reason, "forbidden");
  }
  await app.close();
});

test("frameworks: a caller whose ID no policy can name is refused, and nothing ends", async () => {
  const long = `/ns/shop${"/a".repeat(70)}`;
  const users: readonly HttpAuthorizeOptions<unknown>[] = [
    {},
    { user: async () => undefined },
    { user: tokenOf },
  ];
  for (const options of users) {
    const web = express();
    web.use(authorizeExpress(enforcerOf(), options));
    web.use((_request, response) => void response.send("secret"));
    const app = fastify();
    app.addHook("onRequest", authorizeFastify(enforcerOf(), options));
    app.get("/v1/kinds", () => "secret");
    await app.ready();
    for (const listener of [
      web,
      ((request, response) => app.routing(request, response)) satisfies VerifiedRequestListener,
    ]) {
      await using site = await Site.open(listener);
      assert.equal((await site.get(long, "/v1/kinds")).status, 403);
      const status = options.user === tokenOf ? 403 : 200;
      assert.equal((await site.get(CHECKOUT, "/v1/kinds")).status, status);
    }
    await app.close();
  }
});

test("frameworks: a user's token decides, too, and one that is not proven denies", async () => {
  const web = express();
  web.use(authorizeExpress(enforcerOf(), { user: userOf }));
  web.post("/v1/payouts", (_request, response) => void response.send("paid"));
  const app = fastify();
  app.addHook("onRequest", authorizeFastify(enforcerOf(), { user: ({ raw }) => userOf(raw) }));
  app.post("/v1/payouts", () => "paid");
  await app.ready();
  for (const listener of [
    web,
    ((request, response) => app.routing(request, response)) satisfies VerifiedRequestListener,
  ]) {
    await using site = await Site.open(listener);
    const post = async (name: string): Promise<number | undefined> =>
      (await site.get(CHECKOUT, "/v1/payouts", { method: "POST", headers: { "x-user": name } }))
        .status;
    assert.deepEqual([await post("alice"), await post("bob"), await post("bad")], [200, 403, 403]);
  }
  await app.close();
});

/** A token whose first holder no policy can name. */
async function tokenOf(): Promise<VerifiedUser> {
  const actors = [`spiffe://example.org${"/a".repeat(70)}`, `spiffe://example.org${CHECKOUT}`];
  return { user: "alice", actors, scopes: [], expiresAt: Date.now() + 60_000 };
}

function enforcerOf(): Enforcer {
  return new Enforcer({ service: "payments", bundle });
}

/** An application behind a server whose callers are verified. */
class Site implements AsyncDisposable {
  readonly #field = new Field();
  readonly #close: () => Promise<void>;
  #port = 0;

  private constructor(close: () => Promise<void>) {
    this.#close = close;
  }

  static async open(listener: VerifiedRequestListener): Promise<Site> {
    const site: Site = new Site(() => server.close());
    const { domain, authorize } = site.#field;
    const server = createHttpsServer(
      { source: domain.source("/ns/payments/api"), authorize },
      listener,
    );
    site.#port = await server.listen({ port: 0, host: "127.0.0.1" });
    return site;
  }

  get(caller: string, path: string, options: Parameters<typeof send>[3] = {}): Promise<Received> {
    return send(this.#port, this.#field.agent(caller), path, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#field[Symbol.dispose]();
    await this.#close();
  }
}

async function userOf({ headers }: IncomingMessage): Promise<VerifiedUser> {
  if (headers["x-user"] === "bad") throw new Error("not proven");
  const expiresAt = Date.now() + 60_000;
  return { user: String(headers["x-user"]), actors: [], scopes: [], expiresAt };
}
