import assert from "node:assert/strict";
import { test } from "node:test";
import { openMemoryKeyManager } from "@bonafide/plugin-api/testing";
import { checkStart } from "./check-start.ts";
import { checkOptions, type ServerOptions } from "./server-options.ts";

const GIVEN: ServerOptions = {
  trustDomain: "example.org",
  serverId: "s",
  memoryDir: "/nowhere/memory",
  adminSocketPath: "/nowhere/admin.sock",
};
const HOUR_MS = 3_600_000;

test("options at their bounds are taken", () => {
  const bounds = {
    caTtlMs: 6 * HOUR_MS,
    x509SvidTtlMs: HOUR_MS,
    agentSvidTtlMs: HOUR_MS,
    jwtSvidTtlMs: 1000,
    recoveryWindowMs: 0,
    maxStalenessMs: 1000,
    strangersPerAddress: 1,
  };
  const { trustDomain, port, ...checked } = checkOptions({ ...GIVEN, ...bounds });
  assert.deepEqual({ ...checked, ...bounds }, checked);
  assert.equal(trustDomain, "example.org");
  assert.equal(port, 8081);
  const short = checkOptions({
    ...GIVEN,
    caTtlMs: 60_000,
    x509SvidTtlMs: 1000,
    agentSvidTtlMs: 1000,
  });
  assert.equal(short.jwtSvidTtlMs, 10_000);
});

const FAULTS: readonly Partial<ServerOptions>[] = [
  { caTtlMs: 59_999, x509SvidTtlMs: 1000, agentSvidTtlMs: 1000 },
  { x509SvidTtlMs: 999 },
  { agentSvidTtlMs: 999 },
  { jwtSvidTtlMs: 999 },
  // An SVID that outlives the authority that signed it verifies nowhere.
  { caTtlMs: 6 * HOUR_MS, x509SvidTtlMs: HOUR_MS + 1 },
  { caTtlMs: 6 * HOUR_MS, agentSvidTtlMs: HOUR_MS + 1 },
  { caTtlMs: 6 * HOUR_MS, jwtSvidTtlMs: HOUR_MS + 1 },
  { recoveryWindowMs: -1 },
  { strangersPerAddress: 0 },
  { strangersPerAddress: Number.NaN },
  { maxStalenessMs: 999 },
];
for (const fault of FAULTS) {
  const [name = ""] = Object.keys(fault).slice(-1);
  test(`a server is not opened with ${JSON.stringify(fault)}`, () => {
    assert.throws(() => checkOptions({ ...GIVEN, ...fault }), {
      code: "SERVER_OPTIONS_INVALID",
      message: new RegExp(fault.caTtlMs === 59_999 ? "caTtlMs" : name),
    });
  });
}

test("a server is not opened with keys that only another process can sign with", async () => {
  await using keys = openMemoryKeyManager();
  const start = { host: "127.0.0.1", port: 0, adminSocketPath: GIVEN.adminSocketPath };
  assert.equal(await checkStart(start, keys), keys);
  const far = { ...keys, name: "far", signer: undefined };
  await assert.rejects(checkStart(start, far), {
    code: "SERVER_OPTIONS_INVALID",
    message: /far/,
  });
});
