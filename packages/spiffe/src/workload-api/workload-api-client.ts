import { BonafideError } from "@bonafide/errors";
import { SpiffeWorkloadAPI } from "@bonafide/proto/workload_pb";
import { type Client, createClient, openChannel, openUnixChannel } from "@bonafide/rpc";
import type { JwtBundleSet } from "../bundle/jwt-bundle.ts";
import type { X509BundleSet } from "../bundle/x509-bundle-set.ts";
import { SPIFFE_ERRORS } from "../errors.ts";
import { isSpiffeId, parseSpiffeId, type SpiffeId } from "../id/spiffe-id.ts";
import { isAudience, type JwtSvid } from "../jwt/jwt-svid.ts";
import { WORKLOAD_API_MESSAGE_BYTES_MAX } from "../limits.ts";
import type { X509Context } from "../source/x509-context.ts";
import { type EndpointAddress, endpointAddress } from "./endpoint-address.ts";
import { readJwtBundles, readJwtSvids } from "./read-jwt.ts";
import {
  readX509Bundles,
  readX509Context,
  type ReadX509ContextOptions,
} from "./read-x509-context.ts";

/** Options of {@link openWorkloadApi}. */
export interface WorkloadApiOptions {
  /** `unix:///path` or `tcp://ip:port`; default the environment's `SPIFFE_ENDPOINT_SOCKET`. */
  readonly address?: string;
  /** Where to look the default up, default `process.env`. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** A local endpoint that is back is noticed so soon, ms; callers pause by themselves, and not twice. */
const RECONNECT_MS_MAX = 250;

/** Every request carries this header, so that no web page can be made to ask (Workload Endpoint §3). */
const SECURITY_HEADER = { "workload.spiffe.io": "true" };

/**
 * A client of the Workload API. Failures of a call are `RpcError`s; it does not retry: sources do.
 *
 * @spec Workload API, Workload Endpoint
 */
export class WorkloadApiClient implements AsyncDisposable {
  readonly #client: Client<typeof SpiffeWorkloadAPI>;
  readonly #close: () => void;

  /** Use {@link openWorkloadApi}. */
  constructor(address: EndpointAddress) {
    const options = { messageBytesMax: WORKLOAD_API_MESSAGE_BYTES_MAX };
    const channel =
      address.kind === "unix"
        ? openUnixChannel(address.path, { ...options, reconnectMsMax: RECONNECT_MS_MAX })
        : openChannel(tcpTarget(address), options);
    this.#client = createClient(SpiffeWorkloadAPI, channel);
    this.#close = () => {
      channel.close();
    };
  }

  /**
   * The identities of this process and the bundles to judge others by, once.
   *
   * @throws WORKLOAD_API_RESPONSE_INVALID, HINT_NOT_FOUND  as in the stream
   */
  async fetchX509Context(
    options: ReadX509ContextOptions & { readonly signal?: AbortSignal } = {},
  ): Promise<X509Context> {
    return first(this.watchX509Contexts(options));
  }

  /** The bundles alone, once. @throws WORKLOAD_API_RESPONSE_INVALID */
  async fetchX509Bundles(options: { readonly signal?: AbortSignal } = {}): Promise<X509BundleSet> {
    return first(this.watchX509Bundles(options));
  }

  /** The whole state at each change, as long as this one stream lasts. Ends by an error if a message cannot be read. */
  async *watchX509Contexts(
    options: ReadX509ContextOptions & { readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<X509Context, void, void> {
    for await (const response of this.watchX509Responses(options)) {
      yield readX509Context(response, options);
    }
  }

  /** The bundles at each change, as long as this one stream lasts. */
  async *watchX509Bundles(
    options: { readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<X509BundleSet, void, void> {
    for await (const response of this.#client.fetchX509Bundles({}, callOptions(options))) {
      yield readX509Bundles(response);
    }
  }

  /**
   * Tokens of this process for an audience: of each of its identities, the default one first, or of one.
   *
   * @throws TypeError                      no audience
   * @throws WORKLOAD_API_RESPONSE_INVALID  a token of another ID or for another audience
   */
  async fetchJwtSvids(
    audience: string | readonly string[],
    options: { readonly id?: string; readonly signal?: AbortSignal } = {},
  ): Promise<readonly JwtSvid[]> {
    const wanted = typeof audience === "string" ? [audience] : [...audience];
    if (!isAudience(wanted)) throw new TypeError("an audience is needed");
    const request = { audience: wanted, spiffeId: options.id ?? "" };
    const response = await this.#client.fetchJWTSVID(request, callOptions(options));
    return readJwtSvids(response, { audience: wanted, ...options });
  }

  /** The JWT bundles at each change, as long as this one stream lasts. */
  async *watchJwtBundles(
    options: { readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<JwtBundleSet, void, void> {
    for await (const response of this.watchJwtBundleResponses(options)) {
      yield readJwtBundles(response);
    }
  }

  /** The JWT bundles, once. @throws WORKLOAD_API_RESPONSE_INVALID */
  async fetchJwtBundles(options: { readonly signal?: AbortSignal } = {}): Promise<JwtBundleSet> {
    return first(this.watchJwtBundles(options));
  }

  /**
   * Has the Workload API judge a token that somebody showed us (Workload API §6.3). It keeps no key here, and costs a
   * call; `verifyJwtSvid` with a `JwtSource` judges in this process.
   *
   * @returns Whose it is.
   * @throws RPC_INVALID_ARGUMENT           it is not accepted
   * @throws WORKLOAD_API_RESPONSE_INVALID  no SPIFFE ID came
   */
  async validateJwtSvid(
    token: string,
    options: { readonly audience: string; readonly signal?: AbortSignal },
  ): Promise<SpiffeId> {
    const request = { svid: token, audience: options.audience };
    const { spiffeId } = await this.#client.validateJWTSVID(request, callOptions(options));
    if (isSpiffeId(spiffeId)) return parseSpiffeId(spiffeId);
    throw new BonafideError(
      SPIFFE_ERRORS,
      "WORKLOAD_API_RESPONSE_INVALID",
      "the Workload API accepted a token without saying whose it is",
      { details: { reason: "spiffeId" } },
    );
  }

  /**
   * The messages of FetchX509SVID as they come.
   *
   * @stability internal
   */
  watchX509Responses(options: {
    readonly signal?: AbortSignal;
  }): ReturnType<Client<typeof SpiffeWorkloadAPI>["fetchX509SVID"]> {
    return this.#client.fetchX509SVID({}, callOptions(options));
  }

  /**
   * The messages of FetchJWTBundles as they come.
   *
   * @stability internal
   */
  watchJwtBundleResponses(options: {
    readonly signal?: AbortSignal;
  }): ReturnType<Client<typeof SpiffeWorkloadAPI>["fetchJWTBundles"]> {
    return this.#client.fetchJWTBundles({}, callOptions(options));
  }

  /** Lets go of the connection. Idempotent. */
  close(): Promise<void> {
    this.#close();
    return Promise.resolve();
  }

  /** The same as {@link WorkloadApiClient.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * Opens a client; connects at the first call.
 *
 * @throws ENDPOINT_ADDRESS_MISSING, ENDPOINT_ADDRESS_INVALID
 */
export function openWorkloadApi(options: WorkloadApiOptions = {}): WorkloadApiClient {
  return new WorkloadApiClient(
    endpointAddress(options.address, options.environment ?? process.env),
  );
}

function callOptions({ signal }: { readonly signal?: AbortSignal }): {
  readonly headers: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
} {
  return { headers: SECURITY_HEADER, ...(signal === undefined ? {} : { signal }) };
}

function tcpTarget({ host, port }: { readonly host: string; readonly port: number }): string {
  return host.includes(":") ? `ipv6:[${host}]:${port}` : `ipv4:${host}:${port}`;
}

async function first<T>(stream: AsyncIterable<T>): Promise<T> {
  for await (const value of stream) return value;
  throw new BonafideError(
    SPIFFE_ERRORS,
    "WORKLOAD_API_RESPONSE_INVALID",
    "the Workload API ended its stream without a message",
    { details: { reason: "no-message" } },
  );
}
