import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { FakeWorkloadApi, TestTrustDomain } from "@bonafide/spiffe/testing";

const page = readFileSync(new URL("../docs/sdk.md", import.meta.url), "utf8");
const blocks = new Map(
  Array.from(page.matchAll(/^```ts (\w+)\n([\s\S]*?)^```$/gm), ([, name = "", code = ""]) => [
    name,
    code,
  ]),
);

test("docs/sdk.md: the server and the client greet each other, in as few lines as the page promises", async () => {
  await using domain = await Domain.open();
  assert.ok(lines("server") <= 12 && lines("client") <= 8);
  const server = new Block("server", domain.greeter, ["8443", "0"]);
  try {
    const port = /^listening on (\d+)$/.exec(await server.line())?.[1] ?? "";
    const client = new Block("client", domain.visitor, ["8443", port]);
    assert.equal(await client.line(), "Hello spiffe://example.org/visitor");
    assert.equal(await client.end(), 0);
  } finally {
    await server.kill();
  }
});

test("docs/sdk.md: the test passes", async () => {
  const block = new Block("test", "unix:///none", ["8443", "0"]);
  for (let line = ""; !/^\W*pass 1$/.test(line);) line = await block.line();
  assert.equal(await block.end(), 0);
});

test("docs/sdk.md: the gRPC block listens", async () => {
  await using domain = await Domain.open();
  const block = new Block("grpc", domain.greeter, ["8443", "0"]);
  try {
    assert.match(await block.line(), /^listening on \d+$/);
    assert.equal(await block.line(), "function true");
  } finally {
    await block.kill();
  }
});

test("docs/sdk.md: no block is left out", () => {
  assert.deepEqual([...blocks.keys()], ["server", "client", "test", "grpc"]);
  assert.equal(page.match(/^```\w/gm)?.length, blocks.size);
});

function lines(name: string): number {
  return (blocks.get(name) ?? "").split("\n").filter((line) => line !== "").length;
}

class Domain implements AsyncDisposable {
  readonly #apis: readonly [FakeWorkloadApi, FakeWorkloadApi];

  private constructor(apis: readonly [FakeWorkloadApi, FakeWorkloadApi]) {
    this.#apis = apis;
  }

  static async open(): Promise<Domain> {
    const domain = new TestTrustDomain("example.org");
    const give = async (path: string): Promise<FakeWorkloadApi> => {
      const api = await FakeWorkloadApi.open();
      api.give({ svids: [domain.issue(path)], bundles: [domain.bundle] });
      return api;
    };
    return new Domain([await give("/greeter"), await give("/visitor")]);
  }

  get greeter(): string {
    return this.#apis[0].address;
  }

  get visitor(): string {
    return this.#apis[1].address;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#apis.map((api) => api.close()));
  }
}

/** A block of the page as a process. */
class Block {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #lines: AsyncIterator<string>;

  constructor(name: string, address: string, [from, to]: readonly [string, string]) {
    const code = (blocks.get(name) ?? assert.fail(`no block ${name}`)).replaceAll(from, to);
    const flags = ["--input-type=module-typescript", "--eval", code];
    const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
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

  async end(): Promise<number | null> {
    await this.#ended;
    return this.#child.exitCode;
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }
}
