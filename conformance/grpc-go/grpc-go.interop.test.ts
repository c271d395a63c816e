import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { promisify } from "node:util";
import { BonafideError, type ErrorTable } from "@bonafide/errors";
import { Echo } from "@bonafide/proto/bonafide/testing/v1/echo_pb";
import {
  PermissionDeniedDetails_Reason as Reason,
  PermissionDeniedDetailsSchema,
} from "@bonafide/proto/spire/api/types/status_pb";
import {
  addHealth,
  addReflection,
  addService,
  detail,
  HealthRegistry,
  withStatus,
} from "@bonafide/rpc";
import { openTestServer } from "@bonafide/rpc/testing";

const run = promisify(execFile);

const ERRORS = {
  ECHO_REFUSED: { status: "permission_denied", retry: false },
} as const;
ERRORS satisfies ErrorTable;

function refusal(): BonafideError {
  const error = new BonafideError(ERRORS, "ECHO_REFUSED", "nicht für dich", {
    details: { why: "told" },
    retryAfterMs: 2_500,
  });
  const reason = Reason.AGENT_BANNED;
  return withStatus(error, { details: [detail(PermissionDeniedDetailsSchema, { reason })] });
}

test("grpc-go learns our services by reflection, calls all kinds and reads every detail", async (t) => {
  try {
    await run("go", ["version"]);
  } catch {
    t.skip("there is no Go here");
    return;
  }
  await using opened = await openTestServer(() => "grpc-go");
  const health = new HealthRegistry();
  health.set("", "serving");
  addHealth(opened.server, health);
  addReflection(opened.server);
  addService(opened.server, Echo, {
    async say(request, { signal }) {
      if (request.text === "refuse") throw refusal();
      if (request.text === "wait" && !signal.aborted) await once(signal, "abort");
      return request;
    },
    async *repeat({ text, count }) {
      for (let i = 0; i < count; i++) yield { text: `${text}${i}` };
      if (text === "refuse") throw refusal();
    },
    async join(requests) {
      let all = "";
      for await (const { text } of requests) all += text;
      return { text: all };
    },
    async *chat(requests) {
      for await (const { text } of requests) yield { text: text.toUpperCase() };
    },
  });
  const { stdout } = await run("go", ["run", ".", `unix:${opened.path}`], {
    cwd: import.meta.dirname,
  });
  const failure = {
    code: "PermissionDenied",
    message: "nicht für dich",
    reason: "ECHO_REFUSED",
    domain: "bonafide",
    metadata: { why: "told", retry: "false" },
    retryMs: 2_500,
    detailUrls: [
      "type.googleapis.com/spire.api.types.PermissionDeniedDetails",
      "type.googleapis.com/google.rpc.ErrorInfo",
      "type.googleapis.com/google.rpc.RetryInfo",
    ],
  };
  assert.deepEqual(JSON.parse(stdout), {
    services: [
      "bonafide.testing.v1.Echo",
      "grpc.health.v1.Health",
      "grpc.reflection.v1.ServerReflection",
      "grpc.reflection.v1alpha.ServerReflection",
    ],
    say: "héllo",
    repeat: ["r0", "r1", "r2"],
    join: ["ab"],
    chat: ["C", "D"],
    refused: failure,
    refusedStream: { texts: ["refuse0"], failure },
    deadline: "DeadlineExceeded",
    unknownMethod: "Unimplemented",
    health: ["SERVING", "NotFound"],
  });
});
