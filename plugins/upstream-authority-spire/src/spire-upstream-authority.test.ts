import assert from "node:assert/strict";
import { test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import { silentLog, systemClock } from "@bonafide/lifetime";
import { canPublishJwtKeys } from "@bonafide/plugin-api";
import { createSpireUpstreamAuthority } from "./index.ts";

// What it does with a server above is in suites/authorities: server and plugin meet only there.

const options = {
  trustDomain: "example.org",
  serverAddress: "127.0.0.1:1",
  workloadApi: "unix:///nonexistent/agent.sock",
  clock: systemClock,
  log: silentLog,
};

function isClosed(error: unknown): boolean {
  return isBonafideError(error, "UPSTREAM_AUTHORITY_CLOSED");
}

test("an aborted call ends although no agent answers, and every call after close fails", async () => {
  const upstream = createSpireUpstreamAuthority(options);
  assert.ok(canPublishJwtKeys(upstream));
  const ending = new AbortController();
  const waiting = upstream.bundle({ signal: ending.signal });
  const reason = new Error("enough");
  ending.abort(reason);
  await assert.rejects(waiting, reason);
  await assert.rejects(upstream.bundle({ signal: AbortSignal.abort(reason) }), reason);
  await upstream.close();
  await upstream.close();
  await assert.rejects(upstream.bundle(), isClosed);
  await assert.rejects(upstream.mint({ csr: new Uint8Array(), ttlMs: 1 }), isClosed);
});

test("an agent that is not there is an upstream that is not there", async () => {
  await using upstream = createSpireUpstreamAuthority({ ...options, workloadApi: "nonsense" });
  await assert.rejects(upstream.bundle(), (error) =>
    isBonafideError(error, "UPSTREAM_AUTHORITY_UNAVAILABLE"),
  );
});
