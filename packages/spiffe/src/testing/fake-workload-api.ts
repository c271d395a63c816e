import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BonafideError, type ErrorTable, type StatusName } from "@bonafide/errors";
import { Latest } from "@bonafide/lifetime";
import { encodePrivateKey } from "@bonafide/pki";
import {
  type JWTBundlesResponse,
  JWTBundlesResponseSchema,
  type JWTSVIDResponseSchema,
  SpiffeWorkloadAPI,
  type X509BundlesResponse,
  X509BundlesResponseSchema,
  type X509SVIDResponse,
  X509SVIDResponseSchema,
} from "@bonafide/proto/workload_pb";
import { addService, openServer, type RpcServer } from "@bonafide/rpc";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { formatJwtBundle, type JwtBundle } from "../bundle/jwt-bundle.ts";
import { concatenateDer, formatX509BundleDer, type X509Bundle } from "../bundle/x509-bundle.ts";
import { parseJwtSvid } from "../jwt/jwt-svid.ts";
import type { X509Svid } from "../svid/x509-svid.ts";

/** What the fake gives to whoever asks. */
export interface FakeIdentities {
  readonly svids: readonly X509Svid[];
  /** Of the SVIDs' own trust domains, and federated ones. */
  readonly bundles: readonly X509Bundle[];
}

/** The JWT part of what the fake gives. */
export interface FakeTokens {
  readonly bundles: readonly JwtBundle[];
  /** Makes a token for the audiences of a request; its subject is told as its own word has it. */
  readonly sign: (audience: readonly string[]) => string;
}

type State<R> =
  | { readonly kind: "send"; readonly response: R }
  | { readonly kind: "fail"; readonly status: StatusName };

/** One request that arrived. */
export interface FakeCall {
  readonly method: string;
  /** Values of the `workload.spiffe.io` header. */
  readonly securityHeader: readonly string[];
}

/**
 * A Workload API on a real unix socket, whose answers a test chooses: identities, refusals, raw messages, ends of
 * streams. Everybody who can open the socket gets the same.
 */
export class FakeWorkloadApi implements AsyncDisposable {
  /** For `SPIFFE_ENDPOINT_SOCKET`. */
  readonly address: string;
  readonly #folder: string;
  readonly #listener: Server;
  readonly #server: RpcServer<undefined>;
  readonly #state: Latest<State<X509SVIDResponse>>;
  readonly #jwt = new Latest<State<JWTBundlesResponse>>({ kind: "fail", status: "unimplemented" });
  readonly #bundles = new Latest<X509BundlesResponse | undefined>(undefined);
  readonly #calls = new Latest<readonly FakeCall[]>([]);
  readonly #epoch = new Latest(0);
  #sign: FakeTokens["sign"] = () => "";

  private constructor(folder: string, initial: State<X509SVIDResponse>) {
    this.#folder = folder;
    this.address = `unix://${folder}/api.sock`;
    this.#state = new Latest(initial);
    this.#server = openServer<undefined>({
      check: (call) => {
        const securityHeader = call.headers("workload.spiffe.io");
        this.#calls.set([...this.#calls.value, { method: call.method, securityHeader }]);
      },
    });
    addService(this.#server, SpiffeWorkloadAPI, {
      fetchX509SVID: (_request, { signal }) => this.#answer(this.#state, signal),
      fetchX509Bundles: (_request, { signal }) => this.#answerBundles(signal),
      fetchJWTSVID: ({ audience }) => this.#token(audience),
      fetchJWTBundles: (_request, { signal }) => this.#answer(this.#jwt, signal),
      validateJWTSVID: unimplemented,
      fetchWITSVID: unimplementedStream,
      fetchWITBundles: unimplementedStream,
    });
    this.#listener = createServer((socket) => {
      this.#server.inject(socket, undefined);
    });
  }

  /** Opens a fake that refuses everybody until {@link FakeWorkloadApi.give}. */
  static async open(): Promise<FakeWorkloadApi> {
    const folder = await mkdtemp(join(tmpdir(), "bf-wl-"));
    const fake = new FakeWorkloadApi(folder, { kind: "fail", status: "permission_denied" });
    await new Promise<void>((resolve, reject) => {
      fake.#listener.once("error", reject);
      fake.#listener.listen({ path: join(folder, "api.sock") }, resolve);
    });
    return fake;
  }

  /** Requests so far. */
  get calls(): readonly FakeCall[] {
    return this.#calls.value;
  }

  /** Resolves once at least `count` requests have arrived. */
  async waitForCalls(count: number): Promise<void> {
    for await (const calls of this.#calls.updates()) if (calls.length >= count) return;
  }

  /** Sends these identities to everybody now, and to whoever asks later. */
  give(identities: FakeIdentities): void {
    const own = new Set(identities.svids.map((svid) => svid.trustDomain));
    const der = Object.fromEntries(
      identities.bundles.map((b) => [`spiffe://${b.trustDomain}`, formatX509BundleDer(b)]),
    );
    this.giveRaw({
      svids: identities.svids.map((svid) => ({
        spiffeId: svid.id,
        x509Svid: concatenateDer(svid.chain),
        x509SvidKey: encodePrivateKey(svid.privateKey),
        bundle: der[`spiffe://${svid.trustDomain}`] ?? new Uint8Array(),
        hint: svid.hint,
      })),
      federatedBundles: Object.fromEntries(
        identities.bundles
          .filter((b) => !own.has(b.trustDomain))
          .map((b) => [`spiffe://${b.trustDomain}`, formatX509BundleDer(b)]),
      ),
    });
    this.giveRawBundles({ bundles: der });
  }

  /** Sends a message as it is, also one that no server should send. */
  giveRaw(response: MessageInitShape<typeof X509SVIDResponseSchema>): void {
    this.#state.set({ kind: "send", response: create(X509SVIDResponseSchema, response) });
  }

  /** The same for the stream of bundles. */
  giveRawBundles(response: MessageInitShape<typeof X509BundlesResponseSchema>): void {
    this.#bundles.set(create(X509BundlesResponseSchema, response));
  }

  /** Gives JWT-SVIDs and JWT bundles; before, nobody is given any. */
  giveJwt({ bundles, sign }: FakeTokens): void {
    this.#sign = sign;
    this.giveRawJwtBundles({
      bundles: Object.fromEntries(
        bundles.map((b) => [`spiffe://${b.trustDomain}`, Buffer.from(formatJwtBundle(b))]),
      ),
    });
  }

  /** Sends a message of JWT bundles as it is. */
  giveRawJwtBundles(response: MessageInitShape<typeof JWTBundlesResponseSchema>): void {
    this.#jwt.set({ kind: "send", response: create(JWTBundlesResponseSchema, response) });
  }

  /**
   * Ends every stream of SVIDs and of JWT bundles with a status, and answers so until {@link FakeWorkloadApi.give} and
   * {@link FakeWorkloadApi.giveJwt}.
   */
  fail(status: StatusName): void {
    this.#state.set({ kind: "fail", status });
    this.#jwt.set({ kind: "fail", status });
  }

  /** Ends every open stream without an error, as a server that restarts does. */
  endStreams(): void {
    this.#epoch.set(this.#epoch.value + 1);
  }

  /** Stops and removes the socket. Idempotent. */
  async close(): Promise<void> {
    this.#state.close();
    this.#bundles.close();
    this.#jwt.close();
    this.#calls.close();
    if (this.#listener.listening) this.#listener.close();
    await this.#server.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** The same as {@link FakeWorkloadApi.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async *#answerBundles(signal: AbortSignal): AsyncGenerator<X509BundlesResponse, void, void> {
    for await (const response of this.#bundles.updates({ signal })) {
      if (response !== undefined) yield response;
    }
  }

  #token(audience: readonly string[]): MessageInitShape<typeof JWTSVIDResponseSchema> {
    const { value } = this.#jwt;
    if (value.kind === "fail") throw failure(value.status);
    const svid = this.#sign(audience);
    return { svids: [{ spiffeId: parseJwtSvid(svid).id, svid }] };
  }

  /** What is given now and later, until the streams are ended. */
  async *#answer<R>(states: Latest<State<R>>, signal: AbortSignal): AsyncGenerator<R, void, void> {
    const ending = new AbortController();
    const epochs = this.#epoch.updates({ signal: AbortSignal.any([signal, ending.signal]) });
    await epochs.next();
    const watch = async (): Promise<void> => {
      await epochs.next();
      ending.abort();
    };
    const watching = watch();
    try {
      const until = AbortSignal.any([signal, ending.signal]);
      for await (const state of states.updates({ signal: until })) {
        if (state.kind === "fail") throw failure(state.status);
        yield state.response;
      }
    } finally {
      ending.abort();
      await watching;
    }
  }
}

function failure(status: StatusName): BonafideError {
  const table = { FAKE_FAILURE: { status, retry: false } } satisfies ErrorTable;
  return new BonafideError(table, "FAKE_FAILURE", `the fake was told to answer ${status}`);
}

function unimplemented(): never {
  throw failure("unimplemented");
}

// oxlint-disable-next-line require-yield -- an answer of a stream is a generator
async function* unimplementedStream(): AsyncGenerator<never, void, void> {
  await Promise.resolve();
  throw failure("unimplemented");
}
