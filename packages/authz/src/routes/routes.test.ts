import assert from "node:assert/strict";
import { test } from "node:test";
import * as grpc from "@grpc/grpc-js";
import express from "express";
import { fastify } from "fastify";
import { readFolder } from "../index.ts";
import { parsers } from "../testing/parsers.ts";
import { smallOrg } from "../testing/small-org.ts";
import {
  type AppRoutes,
  renderRoutesFile,
  routesOfExpress,
  routesOfGrpc,
  watchFastifyRoutes,
} from "./index.ts";

const lines = ({ routes }: AppRoutes): string[] =>
  routes.map(({ path, actions }) => `${path} ${actions.toSorted().join()}`);

/** What a team would have in its folder. */
function declared(routes: AppRoutes): string[] {
  const files = new Map([
    ...smallOrg(),
    ["teams/shop/routes/c.yaml", renderRoutesFile("catalogue", routes)],
  ]);
  const { folder, findings } = readFolder(files, parsers);
  assert.deepEqual(findings, []);
  const service = folder.model.services.find(({ name }) => name === "catalogue");
  return lines({ routes: service?.routes ?? [], skipped: [] });
}

const nothing = (): void => {};
const pass = (bytes: Buffer): Buffer => bytes;
const method = (path: string): grpc.MethodDefinition<Buffer, Buffer> => ({
  path,
  requestStream: false,
  responseStream: false,
  requestSerialize: pass,
  requestDeserialize: pass,
  responseSerialize: pass,
  responseDeserialize: pass,
});

test("the routes of an Express application are read, those of routers within too", () => {
  const app = express();
  const inner = express.Router();
  inner.get("/:id", nothing);
  inner.put("/:id", nothing);
  const refunds = express.Router();
  refunds.use("/items", inner);
  refunds.post("/", nothing);
  const other = express();
  other.get("/any", nothing);
  app.use((_request, _response, next) => next());
  app.use("/v1/refunds", refunds);
  app.use("/other", other);
  app.all("/any", nothing);
  app.use(express.Router().delete("/top/level", nothing));
  app.get(["/a", "/b"], nothing);
  app.get("/files/*path", nothing);
  app.get("/maybe{/:id}", nothing);
  app.get(/^\/re/, nothing);
  app.get("/", nothing);
  app.options("/v1/refunds", nothing);
  const found = routesOfExpress(app);
  assert.deepEqual(lines(found), [
    "a http.GET",
    "any http.DELETE,http.GET,http.HEAD,http.PATCH,http.POST,http.PUT",
    "b http.GET",
    "top/level http.DELETE",
    "v1/refunds http.POST",
    "v1/refunds/items/{id} http.GET,http.PUT",
  ]);
  assert.deepEqual(
    found.skipped.map(({ path }) => path),
    ["/other", "/any", "/files/*path", "/maybe{/:id}", "//^\\/re/", "/", "/v1/refunds"],
  );
  assert.deepEqual(declared(found), lines(found));
});

test("where Express keeps no path of a router, it is given or skipped", () => {
  const app = express();
  const router = express.Router().get("/x", nothing);
  app.use("/v1", router);
  const layers: object[] = app.router.stack;
  for (const layer of layers) Reflect.deleteProperty(layer, "rawPath");
  assert.deepEqual(lines(routesOfExpress(app)), []);
  assert.equal(routesOfExpress(app).skipped.length, 1);
  assert.deepEqual(lines(routesOfExpress(app, { mounts: new Map([[router, "/v1"]]) })), [
    "v1/x http.GET",
  ]);
});

test("the routes of a Fastify instance are watched, those of plugins too", async () => {
  const app = fastify();
  const routes = watchFastifyRoutes(app);
  app.get("/v1/refunds/:id", () => "");
  app.register(
    (scope, _options, done) => {
      scope.post("/charges", () => "");
      scope.get("/files/*", () => "");
      scope.get("/:a-:b", () => "");
      done();
    },
    { prefix: "/v2" },
  );
  await app.ready();
  const found = routes();
  await app.close();
  assert.deepEqual(lines(found), ["v1/refunds/{id} http.GET,http.HEAD", "v2/charges http.POST"]);
  assert.deepEqual(
    found.skipped.map(({ path }) => path),
    ["/v2/files/*", "/v2/:a-:b"],
  );
  assert.deepEqual(declared(found), lines(found));
});

test("the methods of a gRPC server, or of definitions, are read", () => {
  const definition = {
    Refund: method("/pay.v1.Payments/Refund"),
    List: method("/pay.v1.Payments/List"),
  };
  const server = new grpc.Server();
  server.addService(definition, { Refund: nothing, List: nothing });
  const wanted = ["pay.v1.Payments/List grpc.call", "pay.v1.Payments/Refund grpc.call"];
  assert.deepEqual(lines(routesOfGrpc(server)), wanted);
  assert.deepEqual(lines(routesOfGrpc(definition)), wanted);
  assert.deepEqual(declared(routesOfGrpc(server)), wanted);
});

test("what is no application is refused", () => {
  for (const app of [undefined, {}, { router: {} }, () => {}]) {
    assert.throws(() => routesOfExpress(app), { code: "MODEL_INVALID" });
  }
  for (const app of [{}, new grpc.Server(), { a: {} }, { a: { path: "x" } }]) {
    assert.throws(() => routesOfGrpc(app), { code: "MODEL_INVALID" });
  }
});
