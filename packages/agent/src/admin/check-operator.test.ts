import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { chmod } from "node:fs/promises";
import { dirname } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { promisify } from "node:util";
import { openTestAgent, ScriptedServer } from "../testing/index.ts";
import { checkOperator } from "./check-operator.ts";

const STRANGER = 54_321;

/** Why nobody can be a stranger here. */
function whyNoStranger(): string | false {
  if (process.geteuid?.() !== 0) return "needs root, to be another user";
  const { status } = spawnSync("test", ["-x", process.execPath], { uid: STRANGER, cwd: "/" });
  return status === 0 ? false : "needs a checkout that other users can read";
}

/** A gRPC call with nothing but Node, since another user may not read our modules. Prints status and details. */
const CALL = `
const { connect } = require("node:net");
const session = require("node:http2").connect("http://localhost", {
  createConnection: () => connect(process.argv[1]),
});
const call = session.request({
  ":method": "POST",
  ":path": "/bonafide.agent.v1.Diagnosis/GetStatus",
  "content-type": "application/grpc",
  te: "trailers",
});
const show = (headers) => {
  if (headers["grpc-status"] === undefined) return;
  const details = Buffer.from(headers["grpc-status-details-bin"] ?? "", "base64");
  process.stdout.write(headers["grpc-status"] + " " + details.toString("latin1"));
};
call.on("response", show).on("trailers", show).on("close", () => session.close()).resume();
call.end(Buffer.alloc(5));
`;

function from(uid: number): Parameters<typeof checkOperator>[0] {
  return { peer: { caller: () => ({ uid }) } };
}

test("the admin socket is for root and the agent's own user", () => {
  checkOperator(from(0));
  checkOperator(from(process.geteuid?.() ?? 0));
  for (const uid of [STRANGER, 4_294_967_295, -1, Number.NaN]) {
    assert.throws(
      () => {
        checkOperator(from(uid));
      },
      { code: "ADMIN_NOT_ALLOWED" },
    );
  }
});

test("a caller that is not known for certain is nobody's operator", () => {
  const unknown = new Error("gone");
  assert.throws(
    () => {
      checkOperator({
        peer: {
          caller: () => {
            throw unknown;
          },
        },
      });
    },
    (error) => error === unknown,
  );
});

test(
  "another user is refused even where the rights of the admin socket let it connect",
  { skip: whyNoStranger() },
  async () => {
    await using server = await ScriptedServer.open();
    await using agt = await openTestAgent({
      server: server.address,
      bootstrap: { kind: "text", text: server.bundlePem },
      joinToken: "token",
    });
    const { adminSocket } = agt.agent;
    const ask = async (uid: number): Promise<string> => {
      const args = ["-e", CALL, adminSocket];
      const options = { uid, gid: uid, env: {}, cwd: "/" };
      return (await promisify(execFile)(process.execPath, args, options)).stdout;
    };
    assert.match(await ask(0), /^0 /);
    await chmod(agt.folder, 0o755);
    await chmod(dirname(adminSocket), 0o755);
    await chmod(adminSocket, 0o666);
    assert.match(await ask(STRANGER), /^7 .*ADMIN_NOT_ALLOWED/s);
  },
);
