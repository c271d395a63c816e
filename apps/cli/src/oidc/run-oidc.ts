import { once } from "node:events";
import { createServer as createHttp, type RequestListener, type Server } from "node:http";
import { createServer as createHttps, type Server as TlsServer } from "node:https";
import { resolve } from "node:path";
import { type Clock, type Log, runTasks } from "@bonafide/lifetime";
import { followWebCertificate, readWebCertificate } from "@bonafide/server";
import { listenUnix, openKernel } from "@bonafide/unix-peer";
import type { OidcConfig } from "../config/oidc-config.ts";
import { createSwitchedLog, standardError } from "../process/log.ts";
import { splitHostPort } from "../run/listen-address.ts";
import { answer } from "./documents.ts";
import { KeySource, openKeyFetcher } from "./key-source.ts";

/** Options of {@link runOidc}. */
export interface RunOidcOptions {
  readonly config: OidcConfig;
  /** Ends the provider, cleanly. */
  readonly signal: AbortSignal;
  /** Called once it answers, with where. */
  readonly onReady: (where: string) => void;
  readonly clock: Clock;
}

const REQUEST_MS = 10_000;
const HTTP = {
  maxHeaderSize: 16_384,
  headersTimeout: REQUEST_MS,
  requestTimeout: REQUEST_MS,
  keepAliveTimeout: 5000,
};
const CONNECTIONS_MAX = 2048;

/** Serves discovery document and keys until the signal aborts. */
export async function runOidc({ config, signal, onReady, clock }: RunOidcOptions): Promise<void> {
  const { log } = createSwitchedLog({
    name: "oidc",
    level: config.log_level,
    stream: standardError,
  });
  await using fetcher = openKeyFetcher(config);
  const source = new KeySource({ fetcher, clock, log }, config.poll_interval);
  const domains = new Set(config.domains);
  const listener: RequestListener = (request, response) => {
    const [path = ""] = (request.url ?? "").split("?", 1);
    const { host = "", "if-none-match": ifNoneMatch = "" } = request.headers;
    const { method = "" } = request;
    const { status, headers, body } = answer(
      { method, host, path, ifNoneMatch },
      { domains, issuer: config.jwt_issuer, keySet: source.keySet, isFresh: source.isFresh },
    );
    response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) });
    response.end(method === "HEAD" ? "" : body);
  };
  const { socket } = config;
  if (socket === undefined)
    return serveTls(config, { signal, onReady, clock, log }, listener, source);
  const http = bounded(createHttp(HTTP, listener));
  // The checks of header and request timeouts start with this event, and the server itself never listens.
  http.emit("listening");
  await using unix = await listenUnix({
    kernel: await openKernel(),
    path: resolve(socket),
    // The documents are public; who may connect is a matter of the folder.
    mode: 0o666,
    folderMode: 0o755,
    label: "oidc",
    connectionsMax: CONNECTIONS_MAX,
    onConnection: ({ socket: connection }) => {
      http.emit("connection", connection);
    },
  });
  onReady(`unix:${unix.path}`);
  try {
    await runTasks(signal, [(ending) => source.run(ending)]);
  } finally {
    http.closeAllConnections();
    http.close();
  }
}

interface Serving extends Pick<RunOidcOptions, "signal" | "onReady" | "clock"> {
  readonly log: Log;
}

async function serveTls(
  { listen = "", certificate = "", key = "" }: OidcConfig,
  { signal, onReady, clock, log }: Serving,
  listener: RequestListener,
  source: KeySource,
): Promise<void> {
  const files = { certificateFile: certificate, keyFile: key };
  const first = await readWebCertificate(files);
  const https = bounded(
    createHttps(
      { ...HTTP, ...first, minVersion: "TLSv1.2", handshakeTimeout: REQUEST_MS },
      listener,
    ),
  );
  https.on("tlsClientError", (_error, socket) => socket.destroy());
  const { host, port } = splitHostPort(listen);
  https.listen({ host, port });
  await once(https, "listening");
  https.on("error", (error) => {
    log({ level: "error", event: "oidc.listener_failed", error });
  });
  const address = https.address();
  const bound = typeof address === "object" && address !== null ? address.port : port;
  onReady(`${host}:${bound}`);
  try {
    await runTasks(signal, [
      (ending) => source.run(ending),
      (ending) =>
        followWebCertificate(
          files,
          { clock, log },
          first,
          (next) => https.setSecureContext({ ...next, minVersion: "TLSv1.2" }),
          ending,
        ),
    ]);
  } finally {
    const closed = once(https, "close");
    https.close();
    https.closeAllConnections();
    await closed;
  }
}

function bounded<S extends Server | TlsServer>(server: S): S {
  server.maxConnections = CONNECTIONS_MAX;
  return server;
}
