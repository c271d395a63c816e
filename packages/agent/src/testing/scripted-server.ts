import { BonafideError, type ErrorTable } from "@bonafide/errors";
import { Latest, systemClock } from "@bonafide/lifetime";
import { parseCsr } from "@bonafide/pki";
import { TestCa } from "@bonafide/pki/testing";
import {
  NodeSync,
  UpdateKind,
  type WatchResponseSchema,
} from "@bonafide/proto/bonafide/sync/v1/sync_pb";
import {
  Agent,
  type AttestAgentRequest,
  type AttestAgentResponseSchema,
} from "@bonafide/proto/spire/api/server/agent/v1/agent_pb";
import { Bundle } from "@bonafide/proto/spire/api/server/bundle/v1/bundle_pb";
import {
  Entry as EntryService,
  type SyncAuthorizedEntriesRequest,
  type SyncAuthorizedEntriesResponseSchema,
} from "@bonafide/proto/spire/api/server/entry/v1/entry_pb";
import { SVID } from "@bonafide/proto/spire/api/server/svid/v1/svid_pb";
import {
  PermissionDeniedDetails_Reason as Reason,
  PermissionDeniedDetailsSchema,
} from "@bonafide/proto/spire/api/types/status_pb";
import { addService, detail, openServer, type RpcServer, withStatus } from "@bonafide/rpc";
import {
  createTlsAcceptorWithAnonymous,
  memberOf,
  parseTrustDomainName,
  parseX509SvidPem,
  type TlsAcceptor,
  type TokenAuthority,
  type VerifiedPeer,
  jwtBundleOf,
  x509BundleOf,
  type X509Context,
  x509ContextOf,
} from "@bonafide/spiffe";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Entry } from "../core/entry.ts";
import { entriesDigest } from "../wire/entries-digest.ts";
import { formatBundle, formatEntry } from "../wire/format-picture.ts";
import { authorityKeyId } from "../wire/key-id.ts";

const SCRIPT_ERRORS = {
  SCRIPT_REFUSES: { status: "permission_denied", retry: false },
  SCRIPT_FAILS: { status: "unavailable", retry: true },
} as const;
SCRIPT_ERRORS satisfies ErrorTable;

const TRUST_DOMAIN = "example.org";
const AGENT_ID = `spiffe://${TRUST_DOMAIN}/spire/agent/join_token/scripted`;
const PAGE = 500;
const NO_PEER = "anonymous";

/** What a {@link ScriptedServer} does; a test may change it at any time. */
export interface Script {
  /** Without push it is what a SPIRE server is: agents have to poll. */
  push: boolean;
  /** Refuses every call of the agent in this way. */
  refuse: keyof typeof Reason | undefined;
  /** No new push stream is opened, as by a server that is busy; those that are go on. */
  failStreams: boolean;
  /** Signing fails as a whole. */
  failSigning: boolean;
  /** The server's clock less the real one, ms. */
  clockMs: number;
  /** Lifetime of workloads' SVIDs, ms. */
  svidTtlMs: number;
  /** Lifetime of agents' SVIDs, ms. */
  agentSvidTtlMs: number;
  /** Tokens it accepts. */
  readonly tokens: Set<string>;
}

/**
 * A server that does what a test scripts, over real TLS and real gRPC: for what the real one does not do on demand, such
 * as refusing, running by another clock, or not knowing push. It keeps no ledger and decides nothing.
 */
export class ScriptedServer implements AsyncDisposable {
  readonly script: Script = {
    push: true,
    refuse: undefined,
    failStreams: false,
    failSigning: false,
    clockMs: 0,
    svidTtlMs: 3_600_000,
    agentSvidTtlMs: 3_600_000,
    tokens: new Set(["token"]),
  };
  /** What push streams did so far. */
  readonly streams: ("opened" | "sent" | "ended")[] = [];
  /** Bytes of the digest that each push stream claimed; none: it asks for everything. */
  readonly claims: number[] = [];
  /** JWT keys of its bundle, before it is asked for. */
  readonly jwtAuthorities: TokenAuthority[] = [];
  /** Whether each poll so far asked for entries' additional attributes. */
  readonly askedMore: boolean[] = [];
  /** Full names of the calls so far. */
  readonly calls: string[] = [];
  // Old enough to be valid by clocks that a test sets back.
  #ca = new TestCa(`spiffe://${TRUST_DOMAIN}`, {
    commonName: "first",
    now: Date.now() - 3_600_000 / 2,
  });
  #authorities = [this.#ca.certificate];
  readonly #tainted = new Set<string>();
  readonly #entries = new Map<string, Entry>();
  readonly #revision = new Latest(1);
  readonly #rpc: RpcServer<VerifiedPeer | typeof NO_PEER>;
  readonly #acceptor: TlsAcceptor;
  readonly #contextOf: () => X509Context;
  readonly #context: Latest<X509Context>;
  #port = 0;

  private constructor() {
    this.#rpc = openServer({
      check: (call) => {
        this.calls.push(`${call.service}/${call.method}`);
        if (call.peer !== NO_PEER) this.#refuse();
      },
    });
    this.#addServices();
    const id = this.#ca.issue(`spiffe://${TRUST_DOMAIN}/spire/server`);
    const svid = parseX509SvidPem(id.chainPem, id.keyPem);
    const { trustDomain } = svid;
    this.#contextOf = () =>
      x509ContextOf(svid, new Map([[trustDomain, x509BundleOf(trustDomain, this.#authorities)]]));
    const context = new Latest(this.#contextOf());
    this.#context = context;
    this.#acceptor = createTlsAcceptorWithAnonymous(
      {
        source: { context: () => context.value, updates: (options) => context.updates(options) },
        authorize: memberOf(TRUST_DOMAIN),
        alpn: ["h2"],
        clock: { ...systemClock, now: () => systemClock.now() + this.script.clockMs },
      },
      (socket, peer) => {
        this.#rpc.inject(socket, peer ?? NO_PEER);
      },
    );
  }

  /** Opens one on a free port. */
  static async open(): Promise<ScriptedServer> {
    const server = new ScriptedServer();
    server.#port = await server.#acceptor.listen({ port: 0, host: "127.0.0.1" });
    return server;
  }

  get address(): { readonly host: string; readonly port: number } {
    return { host: "127.0.0.1", port: this.#port };
  }

  /** PEM of the first authority. */
  get bundlePem(): string {
    return this.#ca.pem;
  }

  /** Makes or replaces entries, one change for all. */
  put(...entries: readonly Entry[]): void {
    for (const entry of entries) this.#entries.set(entry.id, entry);
    this.#changed();
  }

  /** Removes an entry. */
  remove(id: string): void {
    this.#entries.delete(id);
    this.#changed();
  }

  /** Signs with a new authority from now on, and taints the one before. */
  rotateAndTaint(): void {
    this.#tainted.add(authorityKeyId(this.#ca.certificate));
    this.#ca = new TestCa(`spiffe://${TRUST_DOMAIN}`, { commonName: "second" });
    this.#authorities = [...this.#authorities, this.#ca.certificate];
    this.#context.set(this.#contextOf());
    this.#changed();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#revision.close();
    await this.#rpc.close();
    await this.#acceptor.close();
  }

  #changed(): void {
    this.#revision.set(this.#revision.value + 1);
  }

  #refuse(): void {
    const { refuse } = this.script;
    if (refuse === undefined) return;
    const error = new BonafideError(SCRIPT_ERRORS, "SCRIPT_REFUSES", "as scripted");
    throw withStatus(error, {
      details: [detail(PermissionDeniedDetailsSchema, { reason: Reason[refuse] })],
    });
  }

  #bundle(): ReturnType<typeof formatBundle> {
    const trustDomain = parseTrustDomainName(TRUST_DOMAIN);
    return formatBundle({
      trustDomain,
      x509: x509BundleOf(trustDomain, this.#authorities),
      tainted: this.#tainted,
      jwt: jwtBundleOf(trustDomain, this.jwtAuthorities),
      taintedJwt: new Set(),
      sequence: BigInt(this.#revision.value),
    });
  }

  #issue(uri: string, csr: Uint8Array, ttlMs: number): Uint8Array[] {
    const now = Date.now() + this.script.clockMs;
    const { spki } = parseCsr(csr);
    const { chain } = this.#ca.issue(uri, { spki, notBefore: now - 10_000, notAfter: now + ttlMs });
    return chain.map(({ der }) => der);
  }

  #addServices(): void {
    addService(this.#rpc, Agent, {
      attestAgent: (requests) => this.#attest(requests),
      renewAgent: ({ params }) => ({
        svid: {
          certChain: this.#issue(
            AGENT_ID,
            params?.csr ?? new Uint8Array(),
            this.script.agentSvidTtlMs,
          ),
        },
      }),
    });
    addService(this.#rpc, Bundle, { getBundle: () => this.#bundle() });
    addService(this.#rpc, SVID, {
      batchNewX509SVID: ({ params }) => {
        if (this.script.failSigning) {
          throw new BonafideError(SCRIPT_ERRORS, "SCRIPT_FAILS", "signing fails as scripted");
        }
        return {
          results: params.map(({ entryId, csr }) => {
            const entry = this.#entries.get(entryId);
            if (entry === undefined) return { status: { code: 5, message: "not found" } };
            const certChain = this.#issue(entry.spiffeId, csr, this.script.svidTtlMs);
            return { status: { code: 0, message: "OK" }, svid: { certChain } };
          }),
        };
      },
    });
    addService(this.#rpc, EntryService, {
      syncAuthorizedEntries: (requests) => this.#sync(requests),
    });
    addService(this.#rpc, NodeSync, {
      watch: ({ entriesDigest: claimed }, { signal }) => {
        this.claims.push(claimed.length);
        return this.#watch(signal);
      },
    });
  }

  async *#attest(
    requests: AsyncIterable<AttestAgentRequest>,
  ): AsyncGenerator<MessageInitShape<typeof AttestAgentResponseSchema>, void, void> {
    for await (const { step } of requests) {
      if (step.case !== "params") continue;
      const token = Buffer.from(step.value.data?.payload ?? []).toString("utf8");
      const csr = step.value.params?.csr ?? new Uint8Array();
      if (!this.script.tokens.delete(token)) {
        throw withStatus(new BonafideError(SCRIPT_ERRORS, "SCRIPT_REFUSES", "no such token"), {
          status: "invalid_argument",
        });
      }
      const certChain = this.#issue(AGENT_ID, csr, this.script.agentSvidTtlMs);
      yield { step: { case: "result", value: { svid: { certChain } } } };
      return;
    }
  }

  async *#sync(
    requests: AsyncIterable<SyncAuthorizedEntriesRequest>,
  ): AsyncGenerator<MessageInitShape<typeof SyncAuthorizedEntriesResponseSchema>, void, void> {
    const all = [...this.#entries.values()];
    let first = true;
    for await (const { ids, outputMask } of requests) {
      if (!first) {
        const wanted = new Set(ids);
        const found = all.filter(({ id }) => wanted.has(id));
        yield { entries: found.map((entry) => formatEntry(entry)), more: false };
        continue;
      }
      first = false;
      this.askedMore.push(outputMask?.additionalAttributes === true);
      if (all.length <= PAGE) {
        yield { entries: all.map((entry) => formatEntry(entry)), more: false };
        return;
      }
      for (let at = 0; at < all.length; at += PAGE) {
        yield {
          entryRevisions: all.slice(at, at + PAGE).map(({ id, revision, createdAt }) => ({
            id,
            revisionNumber: revision,
            createdAt,
          })),
          more: at + PAGE < all.length,
        };
      }
    }
  }

  async *#watch(
    signal: AbortSignal,
  ): AsyncGenerator<MessageInitShape<typeof WatchResponseSchema>, void, void> {
    if (!this.script.push) {
      throw withStatus(new BonafideError(SCRIPT_ERRORS, "SCRIPT_FAILS", "unknown service"), {
        status: "unimplemented",
      });
    }
    if (this.script.failStreams) {
      throw new BonafideError(SCRIPT_ERRORS, "SCRIPT_FAILS", "streams fail as scripted");
    }
    this.streams.push("opened");
    try {
      for await (const revision of this.#revision.updates({ signal })) {
        this.#refuse();
        this.streams.push("sent");
        yield {
          kind: UpdateKind.FULL,
          revision: BigInt(revision),
          serverTimeMs: BigInt(Date.now() + this.script.clockMs),
          entries: [...this.#entries.values()].map((entry) => formatEntry(entry)),
          bundle: this.#bundle(),
          entriesDigest: entriesDigest(this.#entries.values()),
        };
      }
    } finally {
      this.streams.push("ended");
    }
  }
}
