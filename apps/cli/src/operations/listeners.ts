import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { BonafideError } from "@bonafide/errors";
import type { Log } from "@bonafide/lifetime";
import { CLI_ERRORS } from "../errors.ts";
import { splitHostPort } from "../run/listen-address.ts";

/** One answer to whoever asks over HTTP. */
export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

/** Paths and what they answer. */
export type Answers = Readonly<Record<string, () => Answer | Promise<Answer>>>;

/** A listener of operations; disposing closes it. */
export interface Listener extends AsyncDisposable {
  readonly port: number;
}

/** Connections at a time: probes and scrapers are few. */
const CONNECTIONS_MAX = 64;
const TIMEOUT_MS = 5000;
const HEADER_BYTES_MAX = 8192;

/** Answers GET and HEAD on some paths, plain. @throws LISTEN_FAILED */
export async function listenFor(address: string, answers: Answers, log: Log): Promise<Listener> {
  const server = createServer(
    {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: TIMEOUT_MS,
      requestTimeout: TIMEOUT_MS,
      keepAliveTimeout: TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_MS,
    },
    (request, response) => {
      void reply(answers, request, response);
    },
  );
  server.maxConnections = CONNECTIONS_MAX;
  server.listen(splitHostPort(address));
  try {
    await once(server, "listening");
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BonafideError(CLI_ERRORS, "LISTEN_FAILED", `cannot listen on ${address}: ${why}`, {
      cause,
      details: { next: "stop what listens there, or give health_listen, metrics_listen another" },
    });
  }
  // What cannot be accepted, out of descriptors for one, is no reason for the process to end.
  server.on("error", (error) => {
    log({ level: "error", event: "operations.listener_failed", error });
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of a TCP server that listens
  const { port } = server.address() as AddressInfo;
  return {
    port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
    },
  };
}

async function reply(
  answers: Answers,
  { method, url = "" }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { status, type, text } = await answerTo(answers, method, url);
  response.writeHead(status, { "content-type": type, "cache-control": "no-store" });
  response.end(method === "HEAD" ? "" : text);
}

async function answerTo(
  answers: Answers,
  method: string | undefined,
  url: string,
): Promise<Answer> {
  if (method !== "GET" && method !== "HEAD") return plain(405, "GET or HEAD");
  const [path = ""] = url.split("?", 1);
  const answer = Object.hasOwn(answers, path) ? answers[path] : undefined;
  if (answer === undefined) return plain(404, "nothing here");
  try {
    return await answer();
  } catch {
    return plain(500, "failed");
  }
}

/** An answer in one line of text. */
export function plain(status: number, text: string): Answer {
  return { status, type: "text/plain; charset=utf-8", text: `${text}\n` };
}
