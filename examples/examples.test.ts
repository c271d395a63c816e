import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { FakeWorkloadApi, TestTrustDomain } from "@bonafide/spiffe/testing";

test("the forged certificate is accepted by plain Node and refused by the SDK", async () => {
  await using program = new Program("forged-identity/main.ts");
  const lines = await program.toEnd();
  assert.equal(program.exitCode, 0);
  assert.deepEqual(lines, [
    "plain Node:       authorized=true URI:spiffe://bank.example/admin",
    "@bonafide/spiffe: X509_SVID_UNTRUSTED: spiffe://bank.example/admin is not proven by an " +
      "authority of trust domain bank.example: PATH_UNKNOWN_AUTHORITY",
  ]);
});

test("gRPC: the pair says hello each second, also across rotations, and a stranger is refused", async () => {
  await using field = await Field.open();
  await using server = new Program("hello-grpc/server.ts", [], field.server);
  const address = await listening(server);
  const id = "spiffe://example.org/greeter";
  await using client = new Program("hello-grpc/client.ts", [address, id], field.visitor);
  const answer = "Hello spiffe://example.org/visitor from the server";
  assert.equal(await client.line(), answer);
  assert.equal(await server.line(), "called by spiffe://example.org/visitor");
  field.rotate();
  assert.equal(await client.line(), answer);
  assert.equal(await client.line(), answer);

  await using wrong = new Program(
    "hello-grpc/client.ts",
    [address, "spiffe://example.org/other"],
    field.visitor,
  );
  assert.match(await wrong.line(), /^failed: .*spiffe:\/\/example\.org\/greeter is not admitted/);
  await using stranger = new Program("hello-grpc/client.ts", [address, id], field.stranger);
  assert.match(await stranger.line(), /^failed: /);
  assert.match(await server.until(/^refused: (?!TLS)/), /PEER_NOT_AUTHORIZED/);
});

test("HTTPS: the pair says hello once", async () => {
  await using field = await Field.open();
  await using server = new Program("hello-https/server.ts", [], field.server);
  const args = [await listening(server), "spiffe://example.org/greeter"];
  await using client = new Program("hello-https/client.ts", args, field.visitor);
  assert.deepEqual(await client.toEnd(), ["Hello spiffe://example.org/visitor from the server"]);
  assert.equal(client.exitCode, 0);
  assert.equal(await server.line(), "called by spiffe://example.org/visitor");
  await using nobody = new Program("hello-https/client.ts", args, "unix:///tmp/bonafide-none.sock");
  assert.match(await nobody.said(), /^waiting for an identity: .*\(RPC_UNAVAILABLE\)$/);
  await using stranger = new Program("hello-https/client.ts", args, field.stranger);
  assert.match((await stranger.toEnd()).join(), /^failed: /);
  assert.equal(stranger.exitCode, 1);
});

async function listening(server: Program): Promise<string> {
  const address = /listens on (\S+)$/.exec(await server.line())?.[1];
  assert.ok(address !== undefined);
  return address;
}

/** Three Workload APIs: for the server, for a client of its trust domain, for one of another. */
class Field implements AsyncDisposable {
  readonly #ours = new TestTrustDomain("example.org");
  readonly #theirs = new TestTrustDomain("other.example");
  readonly #apis: readonly [FakeWorkloadApi, FakeWorkloadApi, FakeWorkloadApi];

  private constructor(apis: readonly [FakeWorkloadApi, FakeWorkloadApi, FakeWorkloadApi]) {
    this.#apis = apis;
    this.rotate();
  }

  static async open(): Promise<Field> {
    const [server, visitor, stranger] = [
      await FakeWorkloadApi.open(),
      await FakeWorkloadApi.open(),
      await FakeWorkloadApi.open(),
    ];
    return new Field([server, visitor, stranger]);
  }

  get server(): string {
    return this.#apis[0].address;
  }

  get visitor(): string {
    return this.#apis[1].address;
  }

  get stranger(): string {
    return this.#apis[2].address;
  }

  rotate(): void {
    const bundles = [this.#ours.bundle, this.#theirs.bundle];
    this.#apis[0].give({ svids: [this.#ours.issue("/greeter")], bundles });
    this.#apis[1].give({ svids: [this.#ours.issue("/visitor")], bundles });
    this.#apis[2].give({ svids: [this.#theirs.issue("/visitor")], bundles });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#apis.map((api) => api.close()));
  }
}

/** An example as a process of its own, read line by line. */
class Program implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #said: AsyncIterator<string>;
  readonly #ended: Promise<unknown>;

  constructor(file: string, args: readonly string[] = [], address = "unix:///none") {
    const child = spawn(process.execPath, [join(import.meta.dirname, file), ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, SPIFFE_ENDPOINT_SOCKET: address },
    });
    this.#child = child;
    this.#ended = once(child, "close");
    this.#lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    this.#said = createInterface(child.stderr)[Symbol.asyncIterator]();
  }

  /** Its next line on standard error. */
  async said(): Promise<string> {
    const next = await this.#said.next();
    assert.ok(next.done !== true, "the program ended");
    return next.value;
  }

  get exitCode(): number | null {
    return this.#child.exitCode;
  }

  async line(): Promise<string> {
    const next = await this.#lines.next();
    assert.ok(next.done !== true, "the program ended");
    return next.value;
  }

  async until(pattern: RegExp): Promise<string> {
    for (;;) {
      const line = await this.line();
      if (pattern.test(line)) return line;
    }
  }

  async toEnd(): Promise<readonly string[]> {
    const lines: string[] = [];
    for (;;) {
      const next = await this.#lines.next();
      if (next.done === true) break;
      lines.push(next.value);
    }
    await this.#ended;
    return lines;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }
}
