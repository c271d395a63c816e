import { isIP } from "node:net";
import { BonafideError } from "@bonafide/errors";
import { SPIFFE_ERRORS } from "../errors.ts";
import { SOCKET_PATH_BYTES_MAX } from "../limits.ts";

/** Where a Workload Endpoint listens. */
export type EndpointAddress =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number };

/** The variable that names the Workload Endpoint (Workload Endpoint §4). */
export const ENDPOINT_VARIABLE = "SPIFFE_ENDPOINT_SOCKET";

/**
 * Reads the address of a Workload Endpoint: `unix:///path/to.sock` or `tcp://ip:port`. Nothing is looked up.
 *
 * @throws ENDPOINT_ADDRESS_INVALID  `details.reason`
 * @spec Workload Endpoint §4
 */
export function parseEndpointAddress(text: string): EndpointAddress {
  if (text.startsWith("unix:")) return unixAddress(text.slice("unix:".length));
  if (text.startsWith("tcp:")) return tcpAddress(text.slice("tcp:".length));
  throw invalid("scheme");
}

/**
 * The address to use: the explicit one, or the environment's.
 *
 * @param explicit     Beats the environment; the empty string is an error, not an absence.
 * @param environment  Such as `process.env`.
 * @throws ENDPOINT_ADDRESS_MISSING  neither is set
 * @throws ENDPOINT_ADDRESS_INVALID
 * @spec Workload Endpoint §4
 */
export function endpointAddress(
  explicit: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): EndpointAddress {
  const text = explicit ?? environment[ENDPOINT_VARIABLE];
  if (text !== undefined) return parseEndpointAddress(text);
  throw new BonafideError(
    SPIFFE_ERRORS,
    "ENDPOINT_ADDRESS_MISSING",
    `no Workload API address: set ${ENDPOINT_VARIABLE}=unix:///path/to/agent.sock`,
  );
}

/** `rest` is what follows `unix:`. */
function unixAddress(rest: string): EndpointAddress {
  if (/[?#]/.test(rest)) throw invalid("query-or-fragment");
  const raw = rest.startsWith("//") ? rest.slice(2) : rest;
  if (!raw.startsWith("/")) throw invalid(rest.startsWith("//") ? "authority" : "relative-path");
  let path: string;
  try {
    path = decodeURIComponent(raw);
  } catch (cause) {
    throw invalid("percent-encoding", cause);
  }
  if (path.includes("\0")) throw invalid("path");
  // The kernel would cut the path, and connect to another socket.
  if (new TextEncoder().encode(path).length > SOCKET_PATH_BYTES_MAX) throw invalid("path-too-long");
  return { kind: "unix", path };
}

/** `rest` is what follows `tcp:`. */
function tcpAddress(rest: string): EndpointAddress {
  const match = /^\/\/(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):([1-9][0-9]{0,4})$/.exec(rest);
  if (match === null) throw invalid("ip-and-port");
  const host = match[1] ?? match[2] ?? "";
  const port = Number(match[3]);
  if (isIP(host) !== (match[1] === undefined ? 4 : 6)) throw invalid("ip");
  if (port > 65_535) throw invalid("port");
  return { kind: "tcp", host, port };
}

function invalid(reason: string, cause?: unknown): BonafideError {
  return new BonafideError(
    SPIFFE_ERRORS,
    "ENDPOINT_ADDRESS_INVALID",
    "a Workload API address is unix:///path or tcp://ip:port",
    { details: { reason }, cause },
  );
}
