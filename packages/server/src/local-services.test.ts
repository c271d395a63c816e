import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import type { LogLevel, LogLevelSwitch } from "@bonafide/lifetime";
import { ServerReflection } from "@bonafide/proto/grpc/reflection/v1/reflection_pb";
import { ServerReflection as ServerReflectionAlpha } from "@bonafide/proto/grpc/reflection/v1alpha/reflection_pb";
import { Agent } from "@bonafide/proto/spire/api/server/agent/v1/agent_pb";
import { Debug } from "@bonafide/proto/spire/api/server/debug/v1/debug_pb";
import { Entry } from "@bonafide/proto/spire/api/server/entry/v1/entry_pb";
import { Logger } from "@bonafide/proto/spire/api/server/logger/v1/logger_pb";
import { LogLevel as Wire } from "@bonafide/proto/spire/api/types/logger_pb";
import { failureOf, openTestServer, TD, wireIdOf } from "./testing/test-server.ts";

function switchAt(launched: LogLevel): LogLevelSwitch {
  let current = launched;
  return {
    launched,
    get current() {
      return current;
    },
    set(level) {
      current = level;
    },
  };
}

async function plain(
  call: Promise<{ readonly currentLevel: Wire; readonly launchLevel: Wire }>,
): Promise<readonly Wire[]> {
  const { currentLevel, launchLevel } = await call;
  return [currentLevel, launchLevel];
}

test("the log level is told, set to any that SPIRE has, refused otherwise, and reset", async () => {
  await using srv = await openTestServer({ logLevels: switchAt("info") });
  const logger = srv.local(Logger);
  assert.deepEqual(await plain(logger.getLogger({})), [Wire.INFO, Wire.INFO]);
  for (const [asked, told] of [
    [Wire.DEBUG, Wire.DEBUG],
    [Wire.TRACE, Wire.DEBUG],
    [Wire.PANIC, Wire.ERROR],
    [Wire.FATAL, Wire.ERROR],
    [Wire.WARN, Wire.WARN],
    [Wire.ERROR, Wire.ERROR],
  ] as const) {
    assert.deepEqual(await plain(logger.setLogLevel({ newLevel: asked })), [told, Wire.INFO]);
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a number that no version knows
  for (const newLevel of [Wire.UNSPECIFIED, 8 as Wire]) {
    const { status, code } = await failureOf(logger.setLogLevel({ newLevel }));
    assert.deepEqual([status, code], ["invalid_argument", "REQUEST_INVALID"]);
  }
  assert.deepEqual(await plain(logger.getLogger({})), [Wire.ERROR, Wire.INFO]);
  assert.deepEqual(await plain(logger.resetLogLevel({})), [Wire.INFO, Wire.INFO]);
  const said = srv.events.filter(({ event }) => event === "log.level_set");
  assert.equal(said.length, 7);
  assert.equal(said[0]?.fields?.["uid"], process.getuid?.());
});

test("without a switch there is no logger service", async () => {
  await using srv = await openTestServer();
  assert.equal((await failureOf(srv.local(Logger).getLogger({}))).status, "unimplemented");
});

test("GetInfo counts agents, entries and bundles, and shows the proven chain of the server", async () => {
  await using srv = await openTestServer();
  const [node, gone] = [await srv.join(), await srv.join()];
  await srv.local(Agent).deleteAgent({ id: wireIdOf(gone) });
  await srv.local(Entry).batchCreateEntry({
    entries: [
      {
        parentId: wireIdOf(node),
        spiffeId: { trustDomain: TD, path: "/w" },
        selectors: [{ type: "unix", value: "uid:1" }],
      },
    ],
  });
  const info = await srv.local(Debug).getInfo({});
  assert.deepEqual([info.agentsCount, info.entriesCount, info.federatedBundlesCount], [1, 1, 1]);
  assert.ok(info.uptime >= 0);
  assert.deepEqual(
    info.svidChain.map(({ id }) => id?.path),
    ["/spire/server", ""],
  );
  assert.ok(info.svidChain.every(({ subject, expiresAt }) => subject !== "" && expiresAt > 0n));
});

test("reflection lists the services of the private socket in both versions", async () => {
  await using srv = await openTestServer({ logLevels: switchAt("info") });
  for (const service of [ServerReflection, ServerReflectionAlpha]) {
    const answers = srv.local(service).serverReflectionInfo(
      (async function* () {
        yield { messageRequest: { case: "listServices" as const, value: "" } };
      })(),
    );
    const { value } = await answers.next();
    const { messageResponse } = value ?? {};
    assert.ok(messageResponse?.case === "listServicesResponse");
    const names = messageResponse.value.service.map(({ name }) => name);
    for (const { typeName } of [Agent, Entry, Debug, Logger]) assert.ok(names.includes(typeName));
    await answers.return?.();
  }
});
