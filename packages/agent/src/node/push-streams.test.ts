import assert from "node:assert/strict";
import { test } from "node:test";
import { PushStreams, type ReadStream } from "./push-streams.ts";

/** A stream that a test feeds: `deliver()` as an update that came, `end` and `fail` as the server does. */
class FedStream {
  readonly #over = Promise.withResolvers<void>();
  #deliver: (() => boolean) | undefined;
  isOpen = false;

  readonly read: ReadStream = async (deliver, signal) => {
    this.#deliver = deliver;
    this.isOpen = true;
    signal.addEventListener("abort", () => this.#over.resolve(), { once: true });
    try {
      await this.#over.promise;
    } finally {
      this.isOpen = false;
    }
  };

  deliver(): boolean {
    return this.#deliver?.() ?? false;
  }

  end(): void {
    this.#over.resolve();
  }

  fail(error: Error): void {
    this.#over.reject(error);
  }
}

const never = (): AbortSignal => new AbortController().signal;

async function standing(streams: PushStreams): Promise<FedStream> {
  const stream = new FedStream();
  const rotated = new AbortController();
  const following = streams.follow(stream.read, rotated.signal, never());
  assert.ok(stream.deliver());
  rotated.abort();
  assert.equal(await following, "rotated");
  return stream;
}

test("a stream that delivered stands until the next one delivers, and delivers nothing after that", async () => {
  const streams = new PushStreams();
  const before = await standing(streams);
  const next = new FedStream();
  const following = streams.follow(next.read, never(), never());
  assert.ok(before.isOpen && before.deliver());
  assert.ok(next.deliver());
  assert.equal(before.deliver(), false);
  next.end();
  assert.equal(await following, "ended");
  await streams.close();
  assert.equal(before.isOpen, false);
});

test("when the next stream fails, the one before goes on", async () => {
  const streams = new PushStreams();
  const before = await standing(streams);
  const next = new FedStream();
  const following = streams.follow(next.read, never(), never());
  next.fail(new Error("refused"));
  await assert.rejects(following, /refused/);
  assert.ok(streams.isStanding && before.deliver());
  await streams.close();
  assert.equal(before.isOpen, false);
});

test("a stream that never delivered does not stand after a rotation", async () => {
  const streams = new PushStreams();
  const before = await standing(streams);
  const silent = new FedStream();
  const rotated = new AbortController();
  const following = streams.follow(silent.read, rotated.signal, never());
  rotated.abort();
  assert.equal(await following, "rotated");
  assert.equal(silent.isOpen, false);
  assert.ok(before.isOpen, "the one that does stands on");
  await streams.close();
});

test("a standing stream that ends or fails by itself stands no more", async () => {
  for (const how of ["end", "fail"] as const) {
    const streams = new PushStreams();
    const before = await standing(streams);
    if (how === "end") before.end();
    else before.fail(new Error("cut"));
    while (streams.isStanding) await new Promise((resolve) => setImmediate(resolve));
    await streams.close();
  }
});
