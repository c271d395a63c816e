import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { createOutput, table } from "./output.ts";
import { agentText } from "./render/agent.ts";

function written(act: (output: ReturnType<typeof createOutput>) => void): string {
  const stream = new PassThrough();
  act(createOutput({ stdout: stream, stderr: stream, json: false, program: "bonafide" }));
  return String(stream.read());
}

test("what a terminal would act on is written as its code point", () => {
  const hostile = "1.0\u001b[2J\u009b1A\u202eevil\r";
  const shown = "1.0\\u{1b}[2J\\u{9b}1A\\u{202e}evil\\u{d}\n";
  assert.equal(
    written((output) => output.result(hostile, {})),
    shown,
  );
  assert.equal(
    written((output) => output.note(hostile)),
    shown,
  );
  assert.equal(
    written((output) => output.failure(new Error(hostile))),
    `bonafide: ${shown.trimEnd()} (INTERNAL)\n`,
  );
});

test("a name cannot pass for a line of its own", () => {
  assert.equal(table(["A", "B"], [["x\ny", "z"]]).split("\n").length, 2);
  const text = agentText({
    id: "spiffe://example.org/spire/agent/a",
    attestationType: "x509pop",
    banned: true,
    canReattest: true,
    svidExpiresAt: 0,
    serialNumber: "",
    version: "1.0\nstate         live",
    selectors: ["x509pop:subject:cn:a\nstate         live"],
  });
  assert.equal(text.split("\n").filter((line) => line.startsWith("state")).length, 1);
});
