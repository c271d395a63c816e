import type { LogLevel } from "@bonafide/lifetime";
import { z } from "zod";
import { duration, hostPort, logLevel, path, trustDomain } from "./fields.ts";
import { loadConfig } from "./load-config.ts";

/** A valid configuration of the OIDC discovery provider, as the file spells it; durations are in ms. */
export interface OidcConfig {
  readonly domains: readonly string[];
  readonly jwt_issuer?: string | undefined;
  readonly listen?: string | undefined;
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
  readonly socket?: string | undefined;
  readonly server_socket?: string | undefined;
  readonly workload_socket?: string | undefined;
  readonly trust_domain?: string | undefined;
  readonly poll_interval: number;
  readonly log_level: LogLevel;
}

const base = z.strictObject({
  domains: z
    .array(z.string().regex(/^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/, "is no host name in lower case"))
    .min(1)
    .max(100)
    .describe("hosts that are answered for; a request for another one is refused"),
  jwt_issuer: z
    .string()
    .max(2048)
    .refine(isIssuer, { message: "is no https URL without query, fragment and final slash" })
    .optional()
    .describe(
      "the issuer in the document, and `jwt_issuer` of the server; default https:// and the host that is asked",
    ),
  listen: hostPort.optional().describe("address for HTTPS; needs certificate and key"),
  certificate: path.optional().describe("PEM file, read again when it changes"),
  key: path.optional().describe("PEM file, read again when it changes"),
  socket: path
    .optional()
    .describe("unix socket for plain HTTP, in place of listen: for a proxy that ends TLS"),
  server_socket: path.optional().describe("the server's admin socket, to ask for keys"),
  workload_socket: path
    .optional()
    .describe("a Workload API socket, in place of server_socket; needs trust_domain"),
  trust_domain: trustDomain.optional().describe("whose keys the Workload API is asked for"),
  poll_interval: duration({ minMs: 1000, maxMs: 3_600_000 })
    .prefault("10s")
    .describe("how often keys are asked for"),
  log_level: logLevel.default("info").describe("least severe level that is written"),
});

const schema = base
  .refine(({ listen, socket }) => (listen === undefined) !== (socket === undefined), {
    path: ["listen"],
    message: "and socket: give one of them",
  })
  .refine(
    ({ listen, certificate, key }) =>
      (certificate !== undefined) === (listen !== undefined) &&
      (key !== undefined) === (listen !== undefined),
    { path: ["certificate"], message: "and key go with listen, which needs both" },
  )
  .refine(
    ({ server_socket, workload_socket }) =>
      (server_socket === undefined) !== (workload_socket === undefined),
    { path: ["server_socket"], message: "and workload_socket: give one of them" },
  )
  .refine(
    ({ workload_socket, trust_domain }) =>
      (workload_socket === undefined) === (trust_domain === undefined),
    { path: ["trust_domain"], message: "goes with workload_socket, which needs it" },
  );

function isIssuer(text: string): boolean {
  const url = URL.parse(text);
  if (url?.protocol !== "https:" || url.search !== "" || url.hash !== "") return false;
  return url.username === "" && url.password === "" && !text.endsWith("/") && !/[?#@]/.test(text);
}

/** Reads the provider's configuration; flags, by key, lie over the file. @throws CONFIG_UNREADABLE, CONFIG_INVALID */
export function loadOidcConfig(
  file: string | undefined,
  flags: Readonly<Partial<Record<keyof OidcConfig, unknown>>>,
): OidcConfig {
  return loadConfig(schema, file, flags);
}

/** JSON Schema of the file, for editors. */
export function oidcConfigJsonSchema(): unknown {
  return z.toJSONSchema(schema, { io: "input" });
}
