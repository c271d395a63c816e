import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { test } from "node:test";
import { silentLog, systemClock } from "@bonafide/lifetime";
import { METRICS } from "./metrics-table.ts";
import { openOperations, type OperationsConfig } from "./operations.ts";

const NONE: OperationsConfig = { trust_domain: "example.org", otlp_interval: 60_000 };
const DEPS = { clock: systemClock, log: silentLog };
const ANY = "127.0.0.1:0";
const CALL = { service: "a.B", method: "C", status: "ok", durationMs: 3 };

async function get(
  port: number | undefined,
  path: string,
  method = "GET",
): Promise<readonly [number, string]> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method });
  return [response.status, await response.text()];
}

test("live is live from the start, ready once what is watched serves", async () => {
  await using operations = await openOperations("server", { ...NONE, health_listen: ANY }, DEPS);
  assert.equal(operations.onCall, undefined);
  const { health } = operations.ports;
  assert.deepEqual(await get(health, "/live"), [200, "live\n"]);
  assert.deepEqual(await get(health, "/ready"), [503, "not ready\n"]);
  let isServing = true;
  operations.watch({
    get isServing() {
      return isServing;
    },
    readings: () => [],
  });
  assert.deepEqual(await get(health, "/ready?x=1"), [200, "ready\n"]);
  assert.deepEqual(await get(health, "/ready", "HEAD"), [200, ""]);
  isServing = false;
  assert.equal((await get(health, "/ready"))[0], 503);
  assert.equal((await get(health, "/metrics"))[0], 404);
  assert.equal((await get(health, "/__proto__"))[0], 404);
  assert.equal((await get(health, "/ready", "POST"))[0], 405);
});

test("bytes that are no HTTP end their own connection and nothing else", async () => {
  await using operations = await openOperations("agent", { ...NONE, health_listen: ANY }, DEPS);
  const { health = 0 } = operations.ports;
  const socket = connect(health, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.end(`GET /${"a".repeat(20_000)} HTTP/1.1\r\n\r\n`);
  socket.resume();
  await once(socket, "close");
  assert.equal((await get(health, "/live"))[0], 200);
});

test("metrics: what is documented is what Prometheus reads, names bounded", async () => {
  await using operations = await openOperations(
    "server",
    { ...NONE, health_listen: ANY, metrics_listen: ANY },
    DEPS,
  );
  const log = operations.counted(silentLog);
  log({ level: "warn", event: "something.happened" });
  for (let i = 0; i < 1000; i++) {
    operations.onCall?.({ ...CALL, method: `nowhere-${i}`, status: "unimplemented" });
  }
  operations.onCall?.(CALL);
  for (let i = 0; i < 1000; i++) operations.onCall?.({ ...CALL, method: `made-up-${i}` });
  operations.watch({
    isServing: true,
    readings: () => [
      { metric: "entries", value: 7 },
      { metric: "nodes", value: 2, attributes: { state: "live" } },
      { metric: "leaves", value: 9 },
      { metric: "confirmed", value: 3600 },
      { metric: "authority", value: 1, attributes: { use: "x509" } },
      { metric: "svids", value: 5 },
    ],
  });
  const { metrics } = operations.ports;
  const [status, text] = await get(metrics, "/metrics");
  assert.equal(status, 200);
  for (const { prometheus, kind, who } of Object.values(METRICS)) {
    const isThere = text.includes(`# TYPE ${prometheus} ${kind}\n`);
    assert.equal(isThere, who !== "agent", prometheus);
  }
  assert.match(text, /^bonafide_ready 1$/m);
  assert.match(text, /^bonafide_entries 7$/m);
  assert.match(text, /^bonafide_server_nodes\{state="live"\} 2$/m);
  assert.match(text, /^bonafide_events_total\{event="something.happened",level="warn"\} 1$/m);
  assert.match(text, /service="a.B",method="C",status="ok",le="0.005"\} 1$/m);
  const series = text.match(/^bonafide_rpc_duration_seconds_count/gm) ?? [];
  assert.ok(series.length <= 302, String(series.length));
  assert.match(
    text,
    /duration_seconds_count\{service="other",method="other",status="ok"\} 7\d\d$/m,
  );
});

test("metrics and traces are sent by OTLP at the latest when it ends", async () => {
  const seen = new Map<string, string>();
  const collector = createServer((request, response) => {
    let body = "";
    request.setEncoding("latin1").on("data", (part: string) => (body += part));
    request.on("end", () => {
      seen.set(request.url ?? "", body);
      response.end();
    });
  });
  collector.listen(0, "127.0.0.1");
  await once(collector, "listening");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of a TCP server that listens
  const { port } = collector.address() as AddressInfo;
  const operations = await openOperations(
    "agent",
    { ...NONE, otlp_endpoint: `http://127.0.0.1:${port}/` },
    DEPS,
  );
  operations.onCall?.(CALL);
  operations.onCall?.({ ...CALL, status: "unavailable" });
  await operations[Symbol.asyncDispose]();
  collector.close();
  assert.match(seen.get("/v1/metrics") ?? "", /bonafide\.rpc\.duration_seconds/);
  assert.match(seen.get("/v1/traces") ?? "", /a\.B\/C/);
  assert.match(seen.get("/v1/traces") ?? "", /bonafide-agent/);
});

test("an address that is taken is refused with what to do", async () => {
  await using operations = await openOperations("agent", { ...NONE, health_listen: ANY }, DEPS);
  const taken = `127.0.0.1:${operations.ports["health"]}`;
  await assert.rejects(openOperations("agent", { ...NONE, health_listen: taken }, DEPS), {
    code: "LISTEN_FAILED",
  });
});
