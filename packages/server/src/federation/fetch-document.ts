import { once } from "node:events";
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import { connect, createSecureContext, getCACertificates, type SecureContext } from "node:tls";
import { BonafideError, isBonafideError } from "@bonafide/errors";
import type { Clock } from "@bonafide/lifetime";
import {
  createTlsConnector,
  exactId,
  type SpiffeId,
  type X509BundleSet,
  x509ContextOf,
} from "@bonafide/spiffe";
import { SERVER_ERRORS } from "../errors.ts";
import { LIMITS } from "../limits.ts";

/** A bundle endpoint, and what it has to prove. */
export interface Endpoint {
  readonly url: URL;
  /** `https_web`: a certificate of the web for its host. `https_spiffe`: an X509-SVID of exactly this ID. */
  readonly proof:
    | { readonly kind: "https_web" }
    | {
        readonly kind: "https_spiffe";
        readonly id: SpiffeId;
        /** The bundle of the ID's trust domain, alone. */
        readonly bundles: X509BundleSet;
      };
}

/** Asks an endpoint for its document. @throws BUNDLE_FETCH_FAILED */
export type FetchDocument = (endpoint: Endpoint, signal: AbortSignal) => Promise<string>;

/** Options of {@link createFetchDocument}. */
export interface FetchDocumentOptions {
  /** PEM of the roots that `https_web` endpoints are proven by; default: those of the machine, else Node's own. */
  readonly webRoots?: string | undefined;
  readonly clock: Clock;
}

/** TLS 1.2 with forward secrecy and authenticated encryption, or 1.3 (Mozilla's intermediate list, less its old ones). */
export const ENDPOINT_CIPHERS: string = [
  "TLS_AES_128_GCM_SHA256",
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
].join(":");

/**
 * Makes the function that fetches bundle documents. Each call is a connection of its own, bounded in time and bytes;
 * redirects are refused (ADR-0172), and nothing of one profile is ever tried for the other.
 */
export function createFetchDocument(options: FetchDocumentOptions): FetchDocument {
  let web: SecureContext | undefined;
  const webContext = (): SecureContext =>
    (web ??= createSecureContext({
      ca: options.webRoots ?? machineRoots(),
      minVersion: "TLSv1.2",
      ciphers: ENDPOINT_CIPHERS,
    }));
  return async ({ url, proof }, given) => {
    const signal = AbortSignal.any([given, AbortSignal.timeout(LIMITS.fetchMs)]);
    try {
      if (proof.kind === "https_web") return await fromWeb(url, webContext(), signal);
      return await fromSpiffe(url, proof, options.clock, signal);
    } catch (cause) {
      throw given.aborted ? cause : failed(cause);
    }
  };
}

function machineRoots(): string[] {
  const roots = getCACertificates("system");
  return roots.length > 0 ? roots : getCACertificates("bundled");
}

function fromWeb(url: URL, secureContext: SecureContext, signal: AbortSignal): Promise<string> {
  const target = targetOf(url);
  const socket = connect({
    ...target,
    // Node's own rules: a chain to one of the roots, and the host among the names of the leaf.
    servername: isIP(target.host) === 0 ? target.host : "",
    secureContext,
    // Said, so that no variable of the environment can say otherwise.
    rejectUnauthorized: true,
    ALPNProtocols: ["http/1.1"],
  });
  return answer(url, socket, signal);
}

async function fromSpiffe(
  url: URL,
  proof: Extract<Endpoint["proof"], { kind: "https_spiffe" }>,
  clock: Clock,
  signal: AbortSignal,
): Promise<string> {
  const context = x509ContextOf(undefined, proof.bundles);
  await using connector = createTlsConnector({
    source: {
      context: () => context,
      async *updates() {
        yield context;
      },
    },
    authorize: exactId(proof.id),
    anonymous: true,
    clock,
  });
  const { socket } = await connector.connect(targetOf(url), { alpn: ["http/1.1"], signal });
  // Awaited: the connector ends its connections when it is let go.
  return await answer(url, socket, signal);
}

function targetOf(url: URL): { readonly host: string; readonly port: number } {
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  return { host, port: url.port === "" ? 443 : Number(url.port) };
}

/** Asks over a connection that proves itself before a byte of the request is sent, and ends it. */
async function answer(url: URL, socket: Duplex, signal: AbortSignal): Promise<string> {
  const asked: ClientRequest = request({
    method: "GET",
    path: `${url.pathname}${url.search}`,
    headers: {
      host: url.host,
      accept: "application/json",
      "accept-encoding": "identity",
      connection: "close",
    },
    maxHeaderSize: LIMITS.endpointHeaderBytes,
    createConnection: () => socket,
    signal,
  });
  asked.end();
  try {
    const [response] = await once(asked, "response", { signal });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what Node's event carries
    return await body(response as IncomingMessage);
  } finally {
    asked.on("error", ignoreEnd);
    asked.destroy();
    socket.destroy();
  }
}

/** What comes after the outcome is no news. */
function ignoreEnd(): void {}

async function body(response: IncomingMessage): Promise<string> {
  const { statusCode = 0, headers } = response;
  if (statusCode >= 300 && statusCode < 400) throw refusal("redirected", { status: statusCode });
  if (statusCode !== 200) throw refusal("status", { status: statusCode });
  if ((headers["content-encoding"] ?? "identity") !== "identity") throw refusal("encoded");
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of response) {
    if (!Buffer.isBuffer(part)) throw refusal("unreadable");
    length += part.length;
    if (length > LIMITS.fetchedBytes) throw refusal("too-long");
    parts.push(part);
  }
  return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(parts));
}

function refusal(reason: string, facts: { readonly status?: number } = {}): BonafideError {
  const { status } = facts;
  return new BonafideError(
    SERVER_ERRORS,
    "BUNDLE_FETCH_FAILED",
    `the bundle endpoint's answer was refused: ${reason}`,
    { details: { reason, ...(status === undefined ? {} : { status: String(status) }) } },
  );
}

/** What went wrong, in one code for the caller; the reason is that of TLS, of the answer, or the name of the error. */
function failed(cause: unknown): BonafideError {
  if (isBonafideError(cause, "BUNDLE_FETCH_FAILED")) return cause;
  const reason = isBonafideError(cause) ? (cause.details["reason"] ?? cause.code) : nameOf(cause);
  return new BonafideError(
    SERVER_ERRORS,
    "BUNDLE_FETCH_FAILED",
    `the bundle endpoint did not answer, or did not prove itself: ${reason}`,
    { cause, details: { reason } },
  );
}

function nameOf(error: unknown): string {
  const code: unknown = error instanceof Error ? Reflect.get(error, "code") : undefined;
  if (typeof code === "string") return code;
  return error instanceof Error ? error.name : "unknown";
}
