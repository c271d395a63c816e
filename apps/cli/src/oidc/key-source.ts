import { createHash } from "node:crypto";
import { type Clock, type Log, slept } from "@bonafide/lifetime";
import { publicKeyOf } from "@bonafide/pki";
import { Bundle } from "@bonafide/proto/spire/api/server/bundle/v1/bundle_pb";
import { openWorkloadApi, parseTrustDomain, type TokenAuthority } from "@bonafide/spiffe";
import { connectSocket, type SocketClient } from "../clients/socket-client.ts";
import type { OidcConfig } from "../config/oidc-config.ts";
import { type KeySet, keySetOf } from "./documents.ts";

/** Where the keys of a trust domain come from. */
export interface KeyFetcher extends AsyncDisposable {
  fetch(signal: AbortSignal): Promise<readonly TokenAuthority[]>;
}

/** What {@link KeySource} works with. */
export interface KeySourceDeps {
  readonly fetcher: KeyFetcher;
  readonly clock: Clock;
  readonly log: Log;
}

const FETCH_MS = 10_000;
/** Polls that may fail before the keys count as old, and the least time for it. */
const POLLS_MISSED_MAX = 6;
const STALE_MS_LEAST = 120_000;

/** The keys of the moment. What cannot be fetched leaves the last good ones, which in the end count as old. */
export class KeySource {
  readonly #deps: KeySourceDeps;
  readonly #pollMs: number;
  #keySet: KeySet | undefined;
  #fetchedAtMs = 0;
  #isFailing = false;

  constructor(deps: KeySourceDeps, pollMs: number) {
    this.#deps = deps;
    this.#pollMs = pollMs;
  }

  get keySet(): KeySet | undefined {
    return this.#keySet;
  }

  /** Whether the keys were fetched a short while ago. */
  get isFresh(): boolean {
    const staleMs = Math.max(POLLS_MISSED_MAX * this.#pollMs, STALE_MS_LEAST);
    return this.#deps.clock.monotonicMs() - this.#fetchedAtMs <= staleMs;
  }

  /** Fetches again and again until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, fetcher, log } = this.#deps;
    do {
      try {
        this.#adopt(await fetcher.fetch(AbortSignal.any([signal, AbortSignal.timeout(FETCH_MS)])));
        this.#isFailing = false;
      } catch (error) {
        if (signal.aborted) return;
        const fields = { keeps: this.#keySet?.size ?? 0 };
        if (!this.#isFailing) log({ level: "warn", event: "oidc.keys_not_fetched", fields, error });
        this.#isFailing = true;
      }
    } while (await slept(clock, this.#pollMs, signal, { keepAlive: true }));
  }

  #adopt(authorities: readonly TokenAuthority[]): void {
    const { clock, log } = this.#deps;
    const next = keySetOf(authorities, digest);
    this.#fetchedAtMs = clock.monotonicMs();
    if (this.#keySet?.text === next.text) return;
    this.#keySet = next;
    log({ level: "info", event: "oidc.keys", fields: { keys: next.size } });
  }
}

/** The fetcher that the configuration asks for; a socket that is not there yet is no reason not to start. */
export function openKeyFetcher(config: OidcConfig): KeyFetcher {
  const { server_socket: server, workload_socket: workload, trust_domain: name = "" } = config;
  return server === undefined ? fromWorkloadApi(workload ?? "", name) : fromServer(server);
}

function fromServer(path: string): KeyFetcher {
  let client: SocketClient | undefined;
  return {
    async fetch(signal) {
      client ??= connectSocket("server", { path, source: "server_socket" });
      const outputMask = { jwtAuthorities: true };
      const { jwtAuthorities } = await client.client(Bundle).getBundle({ outputMask }, { signal });
      return jwtAuthorities.map(({ keyId, publicKey }) => ({
        keyId,
        publicKey: publicKeyOf({ spki: publicKey }),
      }));
    },
    async [Symbol.asyncDispose]() {
      await Promise.resolve(client?.[Symbol.dispose]());
    },
  };
}

function fromWorkloadApi(path: string, name: string): KeyFetcher {
  const trustDomain = parseTrustDomain(name);
  const client = openWorkloadApi({ address: `unix://${path}` });
  return {
    async fetch(signal) {
      const bundle = (await client.fetchJwtBundles({ signal })).get(trustDomain);
      if (bundle === undefined) throw new Error(`the Workload API has no bundle of ${name}`);
      return [...bundle.keys].map(([keyId, publicKey]) => ({ keyId, publicKey }));
    },
    async [Symbol.asyncDispose]() {
      await Promise.resolve(client.close());
    },
  };
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}
