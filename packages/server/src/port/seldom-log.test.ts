import assert from "node:assert/strict";
import { test } from "node:test";
import type { LogEvent } from "@bonafide/lifetime";
import { SeldomLog } from "./seldom-log.ts";

test("a thing gets a line now and then, which says how many were left out", () => {
  const lines: LogEvent[] = [];
  let now = 0;
  const seldom = new SeldomLog({ monotonicMs: () => now }, (line) => lines.push(line));
  const write = (about: string): void => {
    seldom.write(about, { level: "warn", event: "refused", fields: { about } });
  };
  for (let i = 0; i < 5; i++) write("a");
  write("b");
  now = 10_000;
  write("a");
  write("a");
  assert.deepEqual(
    lines.map(({ fields }) => fields),
    [{ about: "a" }, { about: "b" }, { about: "a", leftOut: 4 }],
  );
});

test("beyond a thousand things, new ones share their lines", () => {
  const lines: LogEvent[] = [];
  const seldom = new SeldomLog({ monotonicMs: () => 0 }, (line) => lines.push(line));
  for (let i = 0; i < 5000; i++) seldom.write(String(i), { level: "info", event: "refused" });
  assert.equal(lines.length, 1001);
});
