import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "node:tls";
import { formatCertificatesPem } from "@bonafide/pki";
import { parseX509SvidPem } from "@bonafide/spiffe";
import { RealPlane } from "./real-plane.ts";

// A real server and agent, two workloads that live on SVIDs of ten seconds, and a key that was stolen from one of them.

const TTL_SECONDS = 10;
const ROTATIONS = 3;
const options = { timeout: 300_000 };

let plane: RealPlane;
before(async () => {
  plane = await RealPlane.open();
}, options);
after(async () => {
  await plane[Symbol.asyncDispose]();
});

test("P1.4: a join token spent twice lets nobody in, and the ledger says so", options, async () => {
  const { plane: parts, folder } = plane;
  const token = await plane.command("token", "create", "--json", `--socket=${adminSocket()}`);
  assert.equal(token.code, 0, token.output);
  const value = String(/"token":"([^"]+)"/.exec(token.output)?.[1]);
  const bundle = join(folder, "data", "bundle.pem");
  const wordsOf = (name: string): readonly string[] => [
    "agent",
    "run",
    "--trust-domain=example.org",
    `--data-dir=${join(folder, name)}`,
    `--server=127.0.0.1:${parts.port}`,
    `--trust-bundle=${bundle}`,
    `--join-token=${value}`,
    `--workload-socket=${join(folder, `${name}.sock`)}`,
    `--admin-socket=${join(folder, `${name}-admin`, "a.sock")}`,
  ];
  const nodesBefore = await countAgents();
  const first = plane.startCommand(...wordsOf("first"));
  while ((await countAgents()) === nodesBefore) await sleep(100);
  const thief = await plane.command(...wordsOf("thief"));
  assert.notEqual(thief.code, 0, thief.output);
  assert.match(thief.output, /agent\.token_used|token/);
  assert.equal(await countAgents(), nodesBefore + 1);
  const log = await plane.command("ledger", "log", "--json", `--socket=${adminSocket()}`);
  assert.match(log.output, /join_token\.other_key/);
  // The first one got in and stays until its parent, this process's plane, takes the server away.
  first.kill();
});

function adminSocket(): string {
  return join(plane.folder, "data", "server.sock");
}

async function countAgents(): Promise<number> {
  const { output } = await plane.command("agent", "list", "--json", `--socket=${adminSocket()}`);
  return output.match(/"attestationType":/g)?.length ?? 0;
}

test("P4.1: calls in flight through three rotations: none fails", options, async () => {
  await plane.register("/greeter", "greeter", TTL_SECONDS);
  await plane.register("/visitor", "visitor", TTL_SECONDS);
  const greeter = plane.start("greeter", []);
  await greeter.until((events) => events.some(({ event }) => event === "serving"));
  const serving = greeter.events.find((event) => event.event === "serving");
  assert.ok(serving?.event === "serving");
  const target = ["spiffe://example.org/greeter", String(serving.grpc), String(serving.https)];
  const visitor = plane.start("visitor", target);
  for (const workload of [greeter, visitor]) {
    await workload.until(
      (events) => events.filter(({ event }) => event === "identity").length > ROTATIONS,
    );
  }
  assert.deepEqual(
    visitor.events.filter(({ event }) => event === "failed" || event === "refused"),
    [],
  );
  assert.ok(visitor.events.filter(({ event }) => event === "answered").length >= ROTATIONS * 2);
});

test(
  "P4.2: a key from before the last rotation opens nothing once its time is over",
  options,
  async () => {
    const folder = await plane.fetchAs("visitor");
    const stolen = parseX509SvidPem(
      readFileSync(join(folder, "svid.0.pem"), "utf8"),
      readFileSync(join(folder, "svid.0.key"), "utf8"),
    );
    const greeter = plane.start("greeter", []);
    await greeter.until((events) => events.some(({ event }) => event === "serving"));
    const serving = greeter.events.find((event) => event.event === "serving");
    assert.ok(serving?.event === "serving");
    const call = async (): Promise<string> => {
      const socket = connect({
        host: "127.0.0.1",
        port: serving.https,
        ALPNProtocols: ["http/1.1"],
        rejectUnauthorized: false,
        cert: formatCertificatesPem(stolen.chain),
        key: stolen.privateKey.export({ type: "pkcs8", format: "pem" }),
      });
      socket.end("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
      try {
        return await text(socket);
      } catch {
        return ""; // refused by a reset
      }
    };
    if (stolen.notAfter > Date.now() + 3000) assert.match(await call(), /^HTTP\/1\.1 200/);
    while (Date.now() <= stolen.notAfter) await sleep(stolen.notAfter - Date.now() + 1);
    assert.equal(await call(), "");
  },
);
