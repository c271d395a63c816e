import { once } from "node:events";
import { request } from "node:https";
import { connect as connectTcp } from "node:net";
import { text } from "node:stream/consumers";
import { connect, type ConnectionOptions, createSecureContext, type TLSSocket } from "node:tls";
import { formatCertificatesPem } from "@bonafide/pki";
import type { X509Svid } from "@bonafide/spiffe";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { greet } from "./greet.ts";
import type { WayIn } from "./start-victim.ts";

/** What an attacker presents: a certificate with its key, or nothing. */
export type Presented = Pick<X509Svid, "chain" | "privateKey"> | undefined;

const DEADLINE_MS = 5000;
const ALPN: Readonly<Record<WayIn, string>> = { tls: "hello", https: "http/1.1", grpc: "h2" };

/**
 * Tries to be greeted, with stock Node clients that check nothing and send whatever they like.
 *
 * @returns the greeting; undefined when there was none
 */
export async function tryToBeGreeted(
  way: WayIn,
  port: number,
  presented: Presented,
  headers: Readonly<Record<string, string>> = {},
): Promise<string | undefined> {
  try {
    return await ATTEMPTS[way](port, presented, headers);
  } catch {
    return undefined;
  }
}

/** TLS options of a client that presents a certificate and checks nothing of the server. */
export function clientOptions(way: WayIn, presented: Presented): ConnectionOptions {
  return {
    host: "127.0.0.1",
    ALPNProtocols: [ALPN[way]],
    rejectUnauthorized: false,
    ...(presented === undefined
      ? {}
      : {
          cert: formatCertificatesPem(presented.chain),
          key: presented.privateKey.export({ type: "pkcs8", format: "pem" }),
        }),
  };
}

/** Everything that the server says on a connection until it or the deadline ends it. */
export async function readAll(socket: TLSSocket): Promise<string> {
  const timer = setTimeout(() => socket.destroy(), DEADLINE_MS);
  try {
    let said = "";
    for await (const chunk of socket) {
      said += String(chunk);
      if (said.includes("\n")) break;
    }
    return said;
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

/** Sends bytes as they are. @returns whatever came back before the other end or the deadline ended it */
export async function sendRaw(port: number, bytes: readonly Buffer[]): Promise<Buffer> {
  const socket = connectTcp({ host: "127.0.0.1", port });
  await once(socket, "connect");
  const timer = setTimeout(() => socket.destroy(), DEADLINE_MS);
  const back: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => back.push(chunk));
  socket.on("error", () => undefined);
  for (const chunk of bytes) socket.write(chunk);
  await once(socket, "close");
  clearTimeout(timer);
  return Buffer.concat(back);
}

async function overTls(port: number, presented: Presented): Promise<string | undefined> {
  const said = await readAll(connect({ ...clientOptions("tls", presented), port }));
  return said === "" ? undefined : said.trim();
}

async function overHttps(
  port: number,
  presented: Presented,
  headers: Readonly<Record<string, string>>,
): Promise<string> {
  const call = request({ ...clientOptions("https", presented), port, headers, agent: false });
  call.setTimeout(DEADLINE_MS, () => call.destroy());
  call.end();
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  call.once("error", reject);
  call.once("response", (response) => {
    resolve(text(response));
  });
  return promise;
}

async function overGrpc(
  port: number,
  presented: Presented,
  headers: Readonly<Record<string, string>>,
): Promise<string> {
  const { cert, key } = clientOptions("grpc", presented);
  const context = createSecureContext({
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  });
  const secure = credentials.createFromSecureContext(context, { rejectUnauthorized: false });
  const client = new Client(`127.0.0.1:${port}`, secure, {
    "grpc.ssl_target_name_override": "localhost",
    "grpc.default_authority": "localhost",
  });
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  client.makeUnaryRequest(
    greet.path,
    greet.requestSerialize,
    greet.responseDeserialize,
    "greet me",
    metadata,
    { deadline: Date.now() + DEADLINE_MS },
    (error, answer) => {
      if (error === null) resolve(answer ?? "");
      else reject(error);
    },
  );
  try {
    return await promise;
  } finally {
    client.close();
  }
}

const ATTEMPTS: Readonly<
  Record<
    WayIn,
    (
      port: number,
      presented: Presented,
      headers: Readonly<Record<string, string>>,
    ) => Promise<string | undefined>
  >
> = { tls: overTls, https: overHttps, grpc: overGrpc };
