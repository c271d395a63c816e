import assert from "node:assert/strict";
import { test } from "node:test";
import { AuthorityPatcher } from "./authority-patcher.ts";
import { frame, PREFACE } from "./testing/frames.ts";
import { HpackEncoder } from "./testing/hpack-encoder.ts";
import { Seeded } from "./testing/seeded.ts";

const block = (): Buffer =>
  new HpackEncoder().encode(":authority", "/tmp/a.sock", { coded: false, indexed: false });

/** Everything that comes out when `bytes` go in by chunks of `size`. */
function through(bytes: Buffer, size: number): { readonly out: Buffer; readonly patched: number } {
  const patcher = new AuthorityPatcher();
  const out: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    const ready = patcher.push(Buffer.from(bytes.subarray(at, at + size)));
    if (ready !== undefined) out.push(ready);
  }
  return { out: Buffer.concat(out), patched: patcher.patched };
}

test("a block is patched whatever the chunks are, and nothing else changes", () => {
  const padded = Buffer.concat([Buffer.from([4]), block(), Buffer.alloc(4)]);
  const stream = Buffer.concat([
    PREFACE,
    frame({ type: 4, flags: 0, stream: 0 }),
    frame({ type: 1, flags: 4, stream: 1 }, block()),
    frame({ type: 0, flags: 1, stream: 1 }, Buffer.from("body /")),
    frame({ type: 1, flags: 4 | 8, stream: 3 }, padded),
    frame({ type: 1, flags: 0, stream: 5 }, block().subarray(0, 4)),
    frame({ type: 9, flags: 0, stream: 5 }, Buffer.alloc(0)),
    frame({ type: 9, flags: 4, stream: 5 }, block().subarray(4)),
  ]);
  const whole = through(stream, stream.length);
  assert.equal(whole.patched, 3);
  const text = stream.toString("latin1").replaceAll("/t", "-t").replaceAll("p/a", "p-a");
  assert.equal(whole.out.toString("latin1"), text);
  for (let size = 1; size < 40; size++) assert.deepEqual(through(stream, size), whole);
});

test("a block of over 64 KiB is let through as it came", () => {
  const part = Buffer.alloc(16_000, 0x61);
  const frames = [frame({ type: 1, flags: 0, stream: 1 }, part)];
  for (let n = 0; n < 5; n++) frames.push(frame({ type: 9, flags: 0, stream: 1 }, part));
  const stream = Buffer.concat([PREFACE, ...frames]);
  assert.deepEqual(through(stream, 1000).out, stream);
});

test("mutated frames in random chunks never throw and never grow (seed 11, 8000)", () => {
  const random = new Seeded(11);
  for (let round = 0; round < 8000; round++) {
    const frames = [PREFACE];
    for (let n = 1 + random.below(4); n > 0; n--) {
      const payload = block();
      if (random.below(2) === 0) payload[random.below(payload.length)] = random.below(256);
      const made = frame(
        {
          type: random.pick([1, 1, 9, 0, 4]),
          flags: random.below(2) === 0 ? 4 : random.below(256),
          stream: 1,
        },
        payload,
      );
      if (random.below(8) === 0) made.writeUInt8(random.below(256), 2);
      frames.push(made);
    }
    const stream = Buffer.concat(frames);
    const { out } = through(stream, 1 + random.below(30));
    assert.ok(out.length <= stream.length);
  }
});

test("noise never throws and never grows (seed 12, 5000)", () => {
  const random = new Seeded(12);
  for (let round = 0; round < 5000; round++) {
    const noise = random.bytes(24 + random.below(300));
    assert.ok(through(noise, 1 + random.below(90)).out.length <= noise.length);
  }
});
