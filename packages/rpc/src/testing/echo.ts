import assert from "node:assert/strict";
import { once } from "node:events";
import type { ErrorTable } from "@bonafide/errors";
import { Echo, type EchoMessage } from "@bonafide/proto/bonafide/testing/v1/echo_pb";
import { addService } from "../add-service.ts";
import type { Client, Handlers } from "../call-types.ts";
import { createClient } from "../create-client.ts";
import { RpcError } from "../rpc-errors.ts";
import { openTestServer, type TestServer, type TestServerOptions } from "./open-test-server.ts";

/** Codes that the tests' handlers throw. */
export const ECHO_ERRORS = {
  ECHO_REFUSED: { status: "permission_denied", retry: false },
  ECHO_BUSY: { status: "resource_exhausted", retry: true },
} as const;
ECHO_ERRORS satisfies ErrorTable;

/** Opens a server with an Echo of the given handlers, whose peer is "somebody", and a client of it. */
export async function openEcho(
  handlers: Partial<Handlers<typeof Echo, string>>,
  options: TestServerOptions<string> = {},
): Promise<TestServer<string> & { readonly echo: Client<typeof Echo> }> {
  const opened = await openTestServer(() => "somebody", options);
  addService(opened.server, Echo, handlers);
  return Object.assign(opened, { echo: createClient(Echo, opened.channel()) });
}

/** A stream of requests, one for each text. */
export async function* texts(...all: string[]): AsyncGenerator<{ text: string }, void, void> {
  for (const text of all) yield { text };
}

/** A stream of requests that breaks after the first. */
export async function* failing(): AsyncGenerator<{ text: string }, void, void> {
  yield { text: "one" };
  throw new Error("the request stream broke");
}

/** The texts of all messages of a stream. */
export async function textsOf(answers: AsyncIterable<EchoMessage>): Promise<string[]> {
  const got: string[] = [];
  for await (const { text } of answers) got.push(text);
  return got;
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<unknown> {
  return signal.aborted ? Promise.resolve() : once(signal, "abort");
}

/** What a call failed with; a call that does not fail is a failure of the test. */
export async function failureOf(call: Promise<unknown>): Promise<RpcError> {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof RpcError, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: "the call did not fail" });
}
