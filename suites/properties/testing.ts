import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import { FakeWorkloadApi, TestTrustDomain } from "@bonafide/spiffe/testing";

/** The ID that the servers of these suites prove. */
export const SERVER_ID = "spiffe://example.org/greeter";

/**
 * An example server as a process of its own, with a Workload API that the test plays. Two trust domains: the server's own,
 * and one whose bundle it has too.
 */
export class TargetServer implements AsyncDisposable {
  readonly own: TestTrustDomain;
  readonly other: TestTrustDomain;
  readonly port: number;
  readonly #api: FakeWorkloadApi;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  /** Everything it said so far. */
  readonly said: string[] = [];
  #wake = Promise.withResolvers<void>();

  private constructor(parts: {
    readonly own: TestTrustDomain;
    readonly other: TestTrustDomain;
    readonly api: FakeWorkloadApi;
    readonly child: ChildProcess;
    readonly lines: AsyncIterator<string>;
    readonly port: number;
  }) {
    this.own = parts.own;
    this.other = parts.other;
    this.port = parts.port;
    this.#api = parts.api;
    this.#child = parts.child;
    this.#ended = once(parts.child, "close");
    void this.#listen(parts.lines);
  }

  /** @param kind  Which of the hello servers. */
  static async start(kind: "hello-grpc" | "hello-https"): Promise<TargetServer> {
    const own = new TestTrustDomain("example.org");
    const other = new TestTrustDomain("other.example");
    const api = await FakeWorkloadApi.open();
    api.give({ svids: [own.issue("/greeter")], bundles: [own.bundle, other.bundle] });
    const child = spawn(process.execPath, [`examples/${kind}/server.ts`], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, SPIFFE_ENDPOINT_SOCKET: api.address },
    });
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    const first = await lines.next();
    const port = Number(/:(\d+)$/.exec(String(first.value))?.[1]);
    assert.ok(port > 0, String(first.value));
    return new TargetServer({ own, other, api, child, lines, port });
  }

  /** Gives the server a new SVID and the bundles of now. */
  rotate(): void {
    this.#api.give({
      svids: [this.own.issue("/greeter")],
      bundles: [this.own.bundle, this.other.bundle],
    });
  }

  /** Waits until it said a line of this form, also earlier. */
  async until(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = this.said.find((line) => pattern.test(line));
      if (found !== undefined) return found;
      await this.#wake.promise;
    }
  }

  /** How many calls reached its handler. */
  get handled(): number {
    return this.said.filter((line) => line.startsWith("called by ")).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
    await this.#api.close();
  }

  async #listen(lines: AsyncIterator<string>): Promise<void> {
    for (let next = await lines.next(); next.done !== true; next = await lines.next()) {
      this.said.push(next.value);
      const woken = this.#wake;
      this.#wake = Promise.withResolvers();
      woken.resolve();
    }
  }
}
