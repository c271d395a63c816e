import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { after, test } from "node:test";
import { COMMANDS } from "@bonafide/cli/commands";
import { runProgram } from "@bonafide/cli/program";
import { systemClock } from "@bonafide/lifetime";
import { createHttpsAgent, memberOf } from "@bonafide/spiffe";
import { FakeWorkloadApi, TestTrustDomain } from "@bonafide/spiffe/testing";

// Every block of docs/authz/enforce.md is run, with a bundle of the folder of docs/authz.md.

const read = (page: string): RegExpExecArray[] => [
  ...readFileSync(new URL(`../docs/${page}`, import.meta.url), "utf8").matchAll(
    /^```\w+ (\S+)\n([\s\S]*?)^```$/gm,
  ),
];
const folder = mkdtempSync(join(tmpdir(), "enforce-docs-"));
after(() => rmSync(folder, { recursive: true }));
for (const [, name = "", text = ""] of read("authz.md")) {
  if (!name.includes(".")) continue;
  mkdirSync(dirname(join(folder, "authz", name)), { recursive: true });
  writeFileSync(join(folder, "authz", name), text);
}
const at = (name: string): string => join(folder, name);
await bonafide("keygen", "--out", at("a"));
await bonafide("keygen", "--out", at("b"), "--algorithm", "p256");
const pem = ["a.pub", "b.pub"].map((name) => readFileSync(at(name), "utf8")).join("");
writeFileSync(at("policy.pub"), pem);
const model = ["--folder", at("authz")];
const file = at("payments.bundle");
await bonafide("build", ...model, "--key", at("a.key"), "--serial", "1", "--out", file);
const signing = [...model, "--serial", "1", "--key", at("b.key"), "--trust", at("policy.pub")];
await bonafide("sign", file, ...signing);
await bonafide("cut", file, "--service", "payments", "--out", file);

const blocks = read("authz/enforce.md");
test("docs/authz/enforce.md: no block is left out", () => {
  assert.deepEqual(
    blocks.map(([, name]) => name),
    ["server.ts", "express.ts", "fastify.ts"],
  );
});

for (const [, name = "", code = ""] of blocks) {
  test(`docs/authz/enforce.md: ${name} answers whom the bundle permits, and nobody else`, async () => {
    const domain = new TestTrustDomain("example.org");
    await using api = await FakeWorkloadApi.open();
    api.give({ svids: [domain.issue("/ns/payments/api")], bundles: [domain.bundle] });
    await using server = new Block(code, api.address);
    const port = Number(/^listening on (\d+)$/.exec(await server.line())?.[1]);
    const post = (path: string): Promise<readonly unknown[]> => ask(domain, port, path);
    const checkout = "/ns/shop/checkout";
    assert.deepEqual(await post(checkout), [200, `Hello spiffe://example.org${checkout}`]);
    const [status, body] = await post("/ns/web/x");
    assert.equal(status, 403);
    assert.match(String(body), /^\{"error":"CALL_DENIED","decision":"[0-9a-f-]{36}"\}$/);
  });
}

function ask(domain: TestTrustDomain, port: number, path: string): Promise<readonly unknown[]> {
  const agent = createHttpsAgent({
    source: domain.source(path),
    authorize: memberOf("example.org"),
  });
  return new Promise<readonly unknown[]>((resolve, reject) => {
    const options = { host: "127.0.0.1", port, agent, method: "POST", path: "/v1/refunds/7" };
    const sent = request(options, (response) => {
      let body = "";
      response.on("data", (chunk) => (body += String(chunk)));
      response.on("end", () => resolve([response.statusCode, body]));
    });
    sent.on("error", reject);
    sent.end();
  }).finally(() => agent.destroy());
}

async function bonafide(...words: readonly string[]): Promise<void> {
  let text = "";
  const sink = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  const code = await runProgram({
    commands: COMMANDS,
    version: "0.1.0",
    program: "bonafide",
    words: ["authz", "bundle", ...words],
    env: {},
    stdout: sink,
    stderr: sink,
    signal: new AbortController().signal,
    machine: { clock: systemClock, cli: [""], greeter: "", visitor: "" },
  });
  assert.equal(code, 0, text);
}

/** A block of the page as a process. */
class Block implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #lines: AsyncIterator<string>;

  constructor(code: string, address: string) {
    const own = code
      .replaceAll("8443", "0")
      .replaceAll(/"(policy\.pub|payments\.bundle|kept)"/g, (_, name: string) =>
        JSON.stringify(at(name)),
      );
    const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
    const flags = ["--input-type=module-typescript", "--eval", own];
    const child = spawn(process.execPath, flags, {
      cwd: new URL("..", import.meta.url),
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...environment, SPIFFE_ENDPOINT_SOCKET: address },
    });
    this.#child = child;
    this.#ended = once(child, "close");
    this.#lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  }

  async line(): Promise<string> {
    const next = await this.#lines.next();
    assert.ok(next.done !== true, "the block ended");
    return next.value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }
}
