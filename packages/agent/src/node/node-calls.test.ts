import assert from "node:assert/strict";
import { test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import { systemClock } from "@bonafide/lifetime";
import { RpcError } from "@bonafide/rpc";
import { TestTrustDomain } from "@bonafide/spiffe/testing";
import { ScriptedServer } from "../testing/scripted-server.ts";
import { NodeCalls } from "./node-calls.ts";

test("what a server that nothing verifies refuses is no refusal, so it cannot end the agent", async () => {
  await using impostor = await ScriptedServer.open();
  const own = new TestTrustDomain("example.org");
  await using source = own.source("/spire/agent/a");
  const calls = new NodeCalls({
    clock: systemClock,
    trustDomain: own.trustDomain,
    address: impostor.address,
    source,
    onRefused: () => {
      assert.fail("a refusal was believed");
    },
  });
  try {
    const signal = AbortSignal.timeout(60_000);
    // The scripted server does not know the service: a status that would otherwise change what the agent does.
    const error: unknown = await calls.fetchSignedBundleInsecure({ signal }).then(
      () => assert.fail("it answered"),
      (reason: unknown) => reason,
    );
    assert.ok(!(error instanceof RpcError));
    assert.ok(isBonafideError(error, "SERVER_ANSWER_INVALID"));
  } finally {
    await calls.close();
  }
});

test("a server that is away is named with the system's code, not with the transport's sentence", async () => {
  await using gone = await ScriptedServer.open();
  const { address } = gone;
  await gone[Symbol.asyncDispose]();
  const own = new TestTrustDomain("example.org");
  await using source = own.source("/spire/agent/a");
  const calls = new NodeCalls({
    clock: systemClock,
    trustDomain: own.trustDomain,
    address,
    source,
    onRefused: () => {},
  });
  try {
    await assert.rejects(calls.fetchRecoveryKey({ signal: AbortSignal.timeout(60_000) }), {
      code: "RPC_UNAVAILABLE",
      message: `the server 127.0.0.1:${address.port} cannot be reached: ECONNREFUSED`,
    });
  } finally {
    await calls.close();
  }
});
