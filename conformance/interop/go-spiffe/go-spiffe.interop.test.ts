import assert from "node:assert/strict";
import { type ChildProcessByStdio, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { get } from "node:https";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { test, type TestContext } from "node:test";
import { promisify } from "node:util";
import {
  createHttpsAgent,
  createHttpsServer,
  exactId,
  memberOf,
  openJwtSource,
  openX509Source,
} from "@bonafide/spiffe";
import { openNode } from "../../workload-api/testing.ts";

const run = promisify(execFile);

/** One JSON line of the Go program. */
interface Line {
  readonly event: string;
  readonly ids?: readonly string[];
  readonly serials?: readonly string[];
  readonly hints?: readonly string[];
  readonly bundles?: Readonly<Record<string, number>>;
  readonly code?: string;
  readonly text?: string;
  readonly port?: number;
  readonly status?: number;
  readonly body?: string;
  readonly token?: string;
  readonly remote?: string;
  readonly local?: string;
}

/** Builds the Go program into the Go cache's own folder of the repository; undefined where there is no Go. */
async function build(t: TestContext): Promise<string | undefined> {
  try {
    await run("go", ["version"]);
  } catch {
    t.skip("there is no Go here");
    return undefined;
  }
  const binary = join(import.meta.dirname, "dist", "go-spiffe");
  await run("go", ["build", "-o", binary, "."], { cwd: import.meta.dirname });
  return binary;
}

class GoSpiffe implements AsyncDisposable {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  constructor(binary: string, args: readonly string[]) {
    this.#child = spawn(binary, args, { stdio: ["pipe", "pipe", "inherit"] });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  async line(): Promise<Line> {
    const { value, done } = await this.#lines.next();
    assert.ok(done !== true, "the program ended");
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by main.go beside this
    return JSON.parse(value) as Line;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin.end();
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill();
      await once(this.#child, "exit");
    }
  }
}

test("go-spiffe fetches its identity, and is told when it has none", async (t) => {
  const binary = await build(t);
  if (binary === undefined) return;
  await using node = await openNode();
  const socket = node.agt.agent.workloadSocket;
  {
    await using refused = new GoSpiffe(binary, ["fetch", socket]);
    const line = await refused.line();
    assert.equal(line.code, "PermissionDenied");
    assert.match(line.text ?? "", /no identity issued/);
  }
  await node.entry("/go", { hint: "internal" });
  await using fetched = new GoSpiffe(binary, ["fetch", socket]);
  const line = await fetched.line();
  assert.deepEqual(line.ids, ["spiffe://example.org/go"]);
  assert.deepEqual(line.hints, ["internal"]);
  assert.deepEqual(line.bundles, { "example.org": 1 });
});

test("go-spiffe watches across two rotations on one stream", async (t) => {
  const binary = await build(t);
  if (binary === undefined) return;
  await using node = await openNode();
  await node.entry("/go", { x509SvidTtl: 4 });
  await using watching = new GoSpiffe(binary, ["watch", node.agt.agent.workloadSocket, "3"]);
  const serials = new Set<string>();
  for (let i = 0; i < 3; i++) {
    const line = await watching.line();
    assert.equal(line.event, "context", line.text ?? "");
    assert.deepEqual(line.ids, ["spiffe://example.org/go"]);
    for (const serial of line.serials ?? []) serials.add(serial);
  }
  assert.equal(serials.size, 3);
});

test("go-spiffe and our SDK prove themselves to each other over mutual TLS, in both directions", async (t) => {
  const binary = await build(t);
  if (binary === undefined) return;
  await using node = await openNode();
  await node.entry("/both");
  const socket = node.agt.agent.workloadSocket;
  await using source = await openX509Source(
    { address: `unix://${socket}` },
    { signal: AbortSignal.timeout(60_000) },
  );
  const id = "spiffe://example.org/both";

  // Their client, our server.
  await using server = createHttpsServer(
    { source, authorize: memberOf("example.org") },
    (request, response) => {
      response.end(`Hello ${request.peer.spiffeId} from us`);
    },
  );
  const port = await server.listen({ port: 0, host: "127.0.0.1" });
  {
    await using calling = new GoSpiffe(binary, ["call", socket, `https://127.0.0.1:${port}`, id]);
    const { status, body } = await calling.line();
    assert.deepEqual({ status, body }, { status: 200, body: `Hello ${id} from us` });
  }
  {
    const wrong = "spiffe://example.org/other";
    await using refused = new GoSpiffe(binary, [
      "call",
      socket,
      `https://127.0.0.1:${port}`,
      wrong,
    ]);
    assert.equal((await refused.line()).event, "error");
  }

  // Our client, their server.
  await using serving = new GoSpiffe(binary, ["serve", socket]);
  const { port: theirs } = await serving.line();
  const agent = createHttpsAgent({ source, authorize: exactId(id) });
  try {
    const request = get({ host: "127.0.0.1", port: theirs, agent });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the one argument of this event
    const [response] = (await once(request, "response")) as [IncomingMessage];
    assert.equal(await text(response), `Hello ${id} from ${id}`);
  } finally {
    agent.destroy();
  }
});

test("go-spiffe fetches JWT-SVIDs and validates ours, by the agent and by its own code", async (t) => {
  const binary = await build(t);
  if (binary === undefined) return;
  await using node = await openNode();
  const socket = node.agt.agent.workloadSocket;
  const audience = "spiffe://example.org/db";
  {
    await using refused = new GoSpiffe(binary, ["jwt", socket, audience]);
    assert.equal((await refused.line()).code, "PermissionDenied");
  }
  await node.entry("/go", { hint: "internal" });
  const id = "spiffe://example.org/go";
  await using source = await openJwtSource(
    { address: `unix://${socket}` },
    { signal: AbortSignal.timeout(60_000) },
  );

  // Their token, judged by them, by the agent and by us.
  await using fetching = new GoSpiffe(binary, ["jwt", socket, audience]);
  const { token = "", ids, hints } = await fetching.line();
  assert.deepEqual({ ids, hints }, { ids: [id], hints: ["internal"] });
  const { remote, local } = await fetching.line();
  assert.deepEqual({ remote, local }, { remote: id, local: id });
  assert.equal(source.verify(token, { audience }).id, id);

  // Ours, and one that is for somebody else.
  const ours = await source.fetch(audience);
  await using judging = new GoSpiffe(binary, ["judge", socket, audience, ours.token]);
  assert.deepEqual(await judging.line(), { event: "verdict", remote: id, local: id });
  await using refusing = new GoSpiffe(binary, ["judge", socket, "other", ours.token]);
  const verdict = await refusing.line();
  assert.match(verdict.remote ?? "", /^refused: .*audience/);
  assert.match(verdict.local ?? "", /^refused: /);
});
