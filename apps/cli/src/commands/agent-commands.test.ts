import assert from "node:assert/strict";
import { test } from "node:test";
import { openTestAgent, ScriptedServer } from "@bonafide/agent/testing";
import { EXIT } from "../exit-codes.ts";
import { testCommands } from "../testing/run-commands.ts";

test("an agent that joined is shown by status and info, and its log level is set and reset", async () => {
  await using server = await ScriptedServer.open();
  let level: "debug" | "info" | "warn" | "error" = "info";
  await using tested = await openTestAgent({
    server: server.address,
    bootstrap: { kind: "text", text: server.bundlePem },
    joinToken: "token",
    logLevels: {
      launched: "info",
      get current() {
        return level;
      },
      set: (next) => {
        level = next;
      },
    },
  });
  await tested.agent.ready({ signal: AbortSignal.timeout(60_000) });
  const cli = testCommands({
    BONAFIDE_AGENT_SOCKET: tested.agent.adminSocket,
    BONAFIDE_SERVER_SOCKET: "/nope",
  });
  const { agent, server: none } = await cli.json("status");
  assert.equal(none, null);
  assert.match(JSON.stringify(agent), /"agentId":"spiffe:\/\/example\.org\/spire\/agent\//);
  const info = await cli.json("agent", "info");
  assert.ok(Number(info["lastSyncAt"]) > 0);
  assert.match(JSON.stringify(info["svidChain"]), /spiffe:\/\/example\.org\/spire\/agent\//);
  assert.deepEqual(await cli.json("agent", "logger", "get"), { level: "info", atStart: "info" });
  assert.deepEqual(await cli.json("agent", "logger", "set", "debug"), {
    level: "debug",
    atStart: "info",
  });
  assert.equal(level, "debug");
  assert.deepEqual(await cli.json("agent", "logger", "reset"), { level: "info", atStart: "info" });
  assert.equal((await cli.run("agent", "logger", "set", "loud")).code, EXIT.usage);
});
