import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { test } from "node:test";
import { openTestAgent, WORKLOAD_HEADERS } from "@bonafide/agent/testing";
import {
  Health,
  HealthCheckResponse_ServingStatus,
} from "@bonafide/proto/grpc/health/v1/health_pb";
import { ServerReflection } from "@bonafide/proto/grpc/reflection/v1/reflection_pb";
import { ServerReflection as ServerReflectionAlpha } from "@bonafide/proto/grpc/reflection/v1alpha/reflection_pb";
import { SpiffeWorkloadAPI } from "@bonafide/proto/workload_pb";
import { RpcError } from "@bonafide/rpc";
import { openTestServer } from "@bonafide/server/testing";
import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { bundlePem, next, openNode, watchSvids } from "./testing.ts";

type Api = ReturnType<typeof clientOf>;

function clientOf(node: Awaited<ReturnType<typeof openNode>>) {
  return node.agt.workload(SpiffeWorkloadAPI);
}

/** Every method of the service, called with these headers. */
const METHODS: Readonly<Record<string, (api: Api, headers: Record<string, string>) => unknown>> = {
  FetchX509SVID: (api, headers) => api.fetchX509SVID({}, { headers }).next(),
  FetchX509Bundles: (api, headers) => api.fetchX509Bundles({}, { headers }).next(),
  FetchJWTSVID: (api, headers) => api.fetchJWTSVID({ audience: ["a"] }, { headers }),
  FetchJWTBundles: (api, headers) => api.fetchJWTBundles({}, { headers }).next(),
  ValidateJWTSVID: (api, headers) => api.validateJWTSVID({ audience: "a", svid: "b" }, { headers }),
  FetchWITSVID: (api, headers) => api.fetchWITSVID({}, { headers }).next(),
  FetchWITBundles: (api, headers) => api.fetchWITBundles({}, { headers }).next(),
};

async function statusOf(call: unknown): Promise<string> {
  try {
    await call;
    return "ok";
  } catch (error) {
    if (error instanceof RpcError) return error.status;
    throw error;
  }
}

test("WLE-06 (Workload Endpoint §3): every method refuses a call without exactly one header workload.spiffe.io: true", async () => {
  await using node = await openNode();
  await node.entry("/one");
  const api = clientOf(node);
  for (const [name, call] of Object.entries(METHODS)) {
    for (const value of [
      undefined,
      "True",
      "TRUE",
      "1",
      "",
      "true, true",
      "true,true",
      " true x",
    ]) {
      const headers: Record<string, string> =
        value === undefined ? {} : { "workload.spiffe.io": value };
      assert.equal(
        await statusOf(call(api, headers)),
        "invalid_argument",
        `${name} with ${String(value)}`,
      );
    }
  }
});

test("WLE-02, WLE-07, WLE-12, WLE-19 (Workload Endpoint §3, §5, §7): gRPC without TLS and without a credential", async () => {
  await using node = await openNode();
  await node.entry("/one");
  const stream = watchSvids(node.agt);
  assert.equal((await next(stream)).svids.length, 1);
  await stream.return();
});

test("WLA-28, WLA-02 (Workload API §7): profiles that are not offered answer UNIMPLEMENTED", async () => {
  await using node = await openNode();
  await node.entry("/one");
  const api = clientOf(node);
  for (const name of ["FetchWITSVID", "FetchWITBundles"]) {
    assert.equal(
      await statusOf(METHODS[name]?.(api, { ...WORKLOAD_HEADERS })),
      "unimplemented",
      name,
    );
  }
});

async function* reflectionRequests() {
  yield { messageRequest: { case: "listServices", value: "" } } as const;
  yield { messageRequest: { case: "fileContainingSymbol", value: "SpiffeWorkloadAPI" } } as const;
}

test("WLE-18, WLE-20 (Workload Endpoint §7): reflection v1 and v1alpha show the service with exactly its 7 methods", async () => {
  await using node = await openNode();
  for (const service of [ServerReflection, ServerReflectionAlpha]) {
    const names: string[] = [];
    const methods: string[] = [];
    for await (const { messageResponse } of node.agt
      .workload(service)
      .serverReflectionInfo(reflectionRequests())) {
      if (messageResponse.case === "listServicesResponse") {
        names.push(...messageResponse.value.service.map(({ name }) => name));
      }
      if (messageResponse.case !== "fileDescriptorResponse") continue;
      for (const bytes of messageResponse.value.fileDescriptorProto) {
        const file = fromBinary(FileDescriptorProtoSchema, bytes);
        const found = file.service.find(({ name }) => name === "SpiffeWorkloadAPI");
        methods.push(...(found?.method ?? []).map(({ name }) => name));
      }
    }
    assert.ok(names.includes("SpiffeWorkloadAPI"));
    assert.deepEqual(methods.toSorted(), Object.keys(METHODS).toSorted());
  }
});

test("health and reflection need no header, and an agent that has synchronised is serving", async () => {
  await using node = await openNode();
  const { status } = await node.agt.workload(Health).check({});
  assert.equal(status, HealthCheckResponse_ServingStatus.SERVING);
});

test("WLE-01, WLE-03 (Workload Endpoint §2, §3): the endpoint is a socket of this host alone", async () => {
  await using node = await openNode();
  const { workloadSocket } = node.agt.agent;
  assert.ok((await stat(workloadSocket)).isSocket());
});

test("WLE-13, WLE-16 (Workload Endpoint §5, §6): a caller without an entry is denied, with its own facts and a decision", async () => {
  await using node = await openNode();
  await node.entry("/other", { selectors: [{ type: "unix", value: "uid:4294967000" }] });
  const error = await watchSvids(node.agt)
    .next()
    .then(
      () => undefined,
      (reason: unknown) => reason,
    );
  assert.ok(error instanceof RpcError);
  assert.equal(error.status, "permission_denied");
  assert.equal(error.reason, "NO_IDENTITY_ISSUED");
  assert.match(error.details["decision"] ?? "", /^d-/);
  assert.match(error.details["selectors"] ?? "", /unix:uid:\d+/);
  assert.doesNotMatch(JSON.stringify(error.details) + error.message, /4294967000|\/other/);
});

test("WLE-04 (Workload Endpoint §3): a network address is no socket path, so none is ever bound", async () => {
  await using srv = await openTestServer();
  for (const workloadSocket of ["tcp://0.0.0.0:8000", "0.0.0.0:8000", "tcp:127.0.0.1:8000"]) {
    await assert.rejects(
      openTestAgent({
        server: { host: "127.0.0.1", port: srv.server.port },
        bootstrap: { kind: "text", text: bundlePem(srv) },
        workloadSocket,
      }),
      { code: "SOCKET_PATH_INVALID" },
    );
  }
});

test("WLA-17 (Workload API §8): hints over 1024 bytes are refused where they are made", async () => {
  await using node = await openNode();
  await node.entry("/long", { hint: "h".repeat(1024) });
  await assert.rejects(node.entry("/longer", { hint: "h".repeat(1025) }));
  await assert.rejects(node.entry("/wide", { hint: "ä".repeat(513) }));
});
