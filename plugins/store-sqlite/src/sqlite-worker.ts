import { parentPort, workerData } from "node:worker_threads";
import { isBonafideError } from "@bonafide/errors";
import type { DatabaseOptions } from "./database.ts";
import type { Answer, Request } from "./messages.ts";
import type { Failure } from "./sqlite-failure.ts";
import { codedError } from "./sqlite-failure.ts";
import { StoreCalls } from "./store-calls.ts";

/**
 * The worker thread that owns the database file: one request at a time, in the order in which they were sent.
 *
 * Its first message says whether the file could be opened.
 */
function serve(): void {
  const port = parentPort;
  if (port === null) throw new Error("this module is the entry of a worker thread");
  const answer = (message: Answer): void => {
    port.postMessage(message);
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- openSqliteStore is the only one that starts this
  const options = workerData as DatabaseOptions;
  let calls: StoreCalls;
  try {
    calls = new StoreCalls(options);
  } catch (error) {
    answer({ id: 0, failure: failureOf(error) });
    return;
  }
  answer({ id: 0, value: undefined });
  port.on("message", ({ id, call, args }: Request) => {
    try {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Request ties `args` to `call`
      const act = calls[call].bind(calls) as (...args: readonly unknown[]) => unknown;
      answer({ id, value: act(...args) });
    } catch (error) {
      answer({ id, failure: failureOf(error) });
    }
    if (call === "close") port.close();
  });
}

function failureOf(thrown: unknown): Failure {
  const error = codedError(thrown);
  const cause = error instanceof Error ? textOf(error.cause ?? error) : String(error);
  if (isBonafideError(error)) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every coded error here is of STORE_ERRORS
    return { code: error.code as Failure["code"], message: error.message, cause };
  }
  return { code: "STORE_UNAVAILABLE", message: "the store failed in an unknown way", cause };
}

function textOf(cause: unknown): string {
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
}

serve();
