import assert from "node:assert/strict";
import { test } from "node:test";
import { BonafideError } from "@bonafide/errors";
import { type Clock, systemClock, systemRandom } from "@bonafide/lifetime";
import { SPIFFE_ERRORS } from "../errors.ts";
import { follow } from "./follow.ts";

test("a pause keeps the process alive: it may be all that a waiting program does", async () => {
  const ending = new AbortController();
  const pauses: unknown[] = [];
  const clock: Clock = {
    ...systemClock,
    sleep: (ms, options) => {
      pauses.push([ms > 0, options?.unref ?? false]);
      ending.abort();
      return Promise.reject(new Error("aborted"));
    },
  };
  const problems: string[] = [];
  const listener = {
    onState: () => {},
    onProblem: ({ code }: BonafideError) => problems.push(code),
  };
  const stream = {
    open: (): never => {
      throw new BonafideError(SPIFFE_ERRORS, "NO_IDENTITY_ISSUED", "nothing for you");
    },
    read: (message: never) => message,
    redacted: undefined,
  };
  await follow(stream, listener, { clock, random: systemRandom, signal: ending.signal });
  assert.deepEqual(pauses, [[true, false]]);
  assert.deepEqual(problems, ["NO_IDENTITY_ISSUED"]);
});
