import { BonafideError, isBonafideError } from "@bonafide/errors";
import type { Clock, Log } from "@bonafide/lifetime";
import {
  type CanPublishJwtKeys,
  type MintedAuthority,
  type MintRequest,
  UPSTREAM_AUTHORITY_ERRORS,
  type UpstreamAuthority,
  type UpstreamBundle,
  type UpstreamJwtKey,
} from "@bonafide/plugin-api";
import { Bundle } from "@bonafide/proto/spire/api/server/bundle/v1/bundle_pb";
import { SVID } from "@bonafide/proto/spire/api/server/svid/v1/svid_pb";
import type { JWTKey } from "@bonafide/proto/spire/api/types/bundle_pb";
import { type Channel, createClient, openChannel } from "@bonafide/rpc";
import {
  exactId,
  grpcCredentials,
  openX509Source,
  type X509Source,
  type X509Svid,
} from "@bonafide/spiffe";

/** Options of {@link createSpireUpstreamAuthority}. */
export interface SpireUpstreamOptions {
  /** Name without scheme: ours, and that of the server above. */
  readonly trustDomain: string;
  /** `host:port` of the server above. */
  readonly serverAddress: string;
  /** Workload API of an agent of the server above, `unix:///path`: who we are there. */
  readonly workloadApi: string;
  /** Hint of our entry there, where this process matches several. Default: the first one's identity. */
  readonly hint?: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** Time for the first answer of the agent, and for each call, ms. */
const CALL_MS = 10_000;
const TTL_SECONDS_MAX = 2 ** 31 - 1;

type Options = { readonly signal?: AbortSignal };

/**
 * An upstream authority that is a server in the tier above, ours or SPIRE's: this server is a workload there, of an entry
 * with the downstream flag.
 *
 * Nothing is connected before the first call; the identity rotates by itself.
 */
export function createSpireUpstreamAuthority(
  options: SpireUpstreamOptions,
): UpstreamAuthority & CanPublishJwtKeys {
  return new SpireUpstreamAuthority(options);
}

class SpireUpstreamAuthority implements UpstreamAuthority, CanPublishJwtKeys {
  readonly name = "spire";
  readonly #options: SpireUpstreamOptions;
  #source: X509Source | undefined;
  #opening: Promise<X509Source> | undefined;
  #link: { readonly channel: Channel; readonly svid: X509Svid | undefined } | undefined;
  #isClosed = false;

  constructor(options: SpireUpstreamOptions) {
    this.#options = options;
  }

  mint({ csr, ttlMs }: MintRequest, options?: Options): Promise<MintedAuthority> {
    return this.#call(options, async (channel, signal) => {
      const preferredTtl = Math.min(Math.floor(ttlMs / 1000), TTL_SECONDS_MAX);
      const answer = await createClient(SVID, channel).newDownstreamX509CA(
        { csr, preferredTtl },
        { signal },
      );
      const roots = answer.x509Authorities.map((certificate) => ({ certificate, tainted: false }));
      return { chain: answer.caCertChain, roots };
    });
  }

  bundle(options?: Options): Promise<UpstreamBundle> {
    return this.#call(options, async (channel, signal) => {
      const bundle = await createClient(Bundle, channel).getBundle({}, { signal });
      return {
        roots: bundle.x509Authorities.map(({ asn1, tainted }) => ({ certificate: asn1, tainted })),
        jwtKeys: bundle.jwtAuthorities.map(readKey),
        sequenceNumber: bundle.sequenceNumber,
        isWhole: true,
      };
    });
  }

  publishJwtKey(key: UpstreamJwtKey, options?: Options): Promise<readonly UpstreamJwtKey[]> {
    return this.#call(options, async (channel, signal) => {
      const { keyId, publicKey } = key;
      const expiresAt = BigInt(Math.floor(key.expiresAt / 1000));
      const { jwtAuthorities } = await createClient(Bundle, channel).publishJWTAuthority(
        { jwtAuthority: { keyId, publicKey, expiresAt } },
        { signal },
      );
      return jwtAuthorities.map(readKey);
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#link?.channel.close();
    this.#link = undefined;
    await this.#opening?.catch(() => undefined);
    await this.#source?.close();
    this.#source = undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #call<T>(
    { signal: given }: Options = {},
    call: (channel: Channel, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    given?.throwIfAborted();
    this.#assertOpen();
    const limit = AbortSignal.timeout(CALL_MS);
    const signal = given === undefined ? limit : AbortSignal.any([given, limit]);
    try {
      const source = await this.#identity(signal);
      this.#assertOpen();
      return await call(this.#channel(source), signal);
    } catch (error) {
      given?.throwIfAborted();
      throw failure(error);
    }
  }

  /** Opened once; a failed opening is tried again by the next call. */
  async #identity(signal: AbortSignal): Promise<X509Source> {
    if (this.#source !== undefined) return this.#source;
    const { workloadApi: address, hint } = this.#options;
    const wanted = hint === undefined ? { address } : { address, hint };
    this.#opening ??= openX509Source(wanted, { signal });
    try {
      this.#source = await this.#opening;
      return this.#source;
    } finally {
      this.#opening = undefined;
    }
  }

  /** A connection that presents the identity of the moment. */
  #channel(source: X509Source): Channel {
    const { svid } = source.context();
    if (this.#link !== undefined && this.#link.svid === svid) return this.#link.channel;
    this.#link?.channel.close();
    const { serverAddress, trustDomain, clock } = this.#options;
    const authorize = exactId(`spiffe://${trustDomain}/spire/server`);
    const channel = openChannel(serverAddress, {
      credentials: grpcCredentials({ source, authorize, clock }),
      authority: serverAddress,
      timeoutMs: CALL_MS,
    });
    this.#link = { channel, svid };
    return channel;
  }

  #assertOpen(): void {
    if (!this.#isClosed) return;
    const message = "the upstream authority was closed";
    throw new BonafideError(UPSTREAM_AUTHORITY_ERRORS, "UPSTREAM_AUTHORITY_CLOSED", message);
  }
}

function readKey({ keyId, publicKey, expiresAt, tainted }: JWTKey): UpstreamJwtKey {
  return { keyId, publicKey, expiresAt: Number(expiresAt) * 1000, tainted };
}

const REFUSALS = new Set([
  "RPC_PERMISSION_DENIED",
  "RPC_UNAUTHENTICATED",
  "RPC_INVALID_ARGUMENT",
  "RPC_FAILED_PRECONDITION",
  "RPC_UNIMPLEMENTED",
  "RPC_RESOURCE_EXHAUSTED",
]);

/** What went wrong, as callers of the port know it; the reason is the cause. */
function failure(cause: unknown): unknown {
  if (isBonafideError(cause, "UPSTREAM_AUTHORITY_CLOSED")) return cause;
  const isRefusal = isBonafideError(cause) && REFUSALS.has(cause.code);
  const reason = isBonafideError(cause) ? `: ${cause.message}` : "";
  return isRefusal
    ? new BonafideError(
        UPSTREAM_AUTHORITY_ERRORS,
        "UPSTREAM_AUTHORITY_REFUSED",
        `the server above refused${reason}`,
        { cause },
      )
    : new BonafideError(
        UPSTREAM_AUTHORITY_ERRORS,
        "UPSTREAM_AUTHORITY_UNAVAILABLE",
        `the server above did not answer${reason}`,
        { cause },
      );
}
