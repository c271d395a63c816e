import { BonafideError } from "@bonafide/errors";
import type { Clock } from "@bonafide/lifetime";
import { createCsr, type GeneratedKey, keySigner } from "@bonafide/pki";
import type { NodeProver } from "@bonafide/plugin-api";
import { type RecoverResponse_Result } from "@bonafide/proto/bonafide/agent/v1/recovery_pb";
import { Agent } from "@bonafide/proto/spire/api/server/agent/v1/agent_pb";
import type { X509SVID } from "@bonafide/proto/spire/api/types/x509svid_pb";
import { RpcError } from "@bonafide/rpc";
import {
  createTlsConnector,
  exactId,
  spiffeIdOf,
  type TlsConnector,
  type TrustDomain,
  type X509Context,
  x509ContextOf,
  type X509ContextSource,
  type X509Svid,
} from "@bonafide/spiffe";
import type { RefusalReason } from "../core/standing.ts";
import { AGENT_ERRORS } from "../errors.ts";
import { attestByProof, attestByToken, type AttestedAnswer } from "../server/attest-node.ts";
import { openLinkInsecure } from "../server/insecure-link.ts";
import { recoverByExpiredSvid } from "../server/recover-node.ts";
import { type ServerAddress, ServerLink, verifiedHandshake } from "../server/server-link.ts";
import {
  fetchSignedBundle,
  type SignedBundle,
  verifySignedBundle,
} from "../server/signed-bundle.ts";
import { type Presented, probeServerInsecure } from "./authority-probe.ts";
import { ServerLinks } from "./server-links.ts";

/** What {@link NodeCalls} works with. */
export interface NodeCallsDeps {
  readonly clock: Clock;
  readonly trustDomain: TrustDomain;
  readonly address: ServerAddress;
  /** SVID and bundle of the moment. */
  readonly source: X509ContextSource;
  readonly onRefused: (reason: RefusalReason) => void;
}

/** A key that is about to get an SVID. */
export type FreshKey = Pick<GeneratedKey, "privateKey">;

interface CallOptions {
  readonly signal: AbortSignal;
}

/** The calls by which a node gets and keeps its own SVID. What they answer is not yet proven. */
export class NodeCalls {
  /** Connections under the agent's SVID. */
  readonly links: ServerLinks;
  readonly #address: ServerAddress;
  readonly #trustDomain: TrustDomain;
  readonly #connector: TlsConnector;
  readonly #anonymous: TlsConnector;

  constructor({ clock, trustDomain, address, source, onRefused }: NodeCallsDeps) {
    this.#address = address;
    this.#trustDomain = trustDomain;
    const authorize = exactId(spiffeIdOf(trustDomain, "spire", "server"));
    this.#connector = createTlsConnector({ source, authorize, clock });
    this.#anonymous = createTlsConnector({
      source: anonymousSource(source),
      authorize,
      anonymous: true,
      clock,
    });
    this.links = new ServerLinks({ address, connector: this.#connector, source, onRefused });
  }

  join(token: string, key: FreshKey, options: CallOptions): Promise<AttestedAnswer> {
    return this.#anonymously((link) => attestByToken(link, token, key, options));
  }

  prove(prover: NodeProver, key: FreshKey, options: CallOptions): Promise<AttestedAnswer> {
    return this.#anonymously((link) => attestByProof(link, prover, key, options));
  }

  async renew(key: FreshKey, options: CallOptions): Promise<X509SVID | undefined> {
    const csr = createCsr(keySigner(key.privateKey));
    const { svid } = await this.links.use((link) =>
      link.client(Agent).renewAgent({ params: { csr } }, options),
    );
    return svid;
  }

  recover(expired: X509Svid, key: FreshKey, options: CallOptions): Promise<RecoverResponse_Result> {
    return this.#anonymously((link) => recoverByExpiredSvid(link, expired, key, options));
  }

  /**
   * The raw Ed25519 key that signs bundles for recovery, as the verified server tells and proves it.
   *
   * @returns undefined: the server signs none.
   * @throws RpcError, SERVER_ANSWER_INVALID
   */
  async fetchRecoveryKey(options: CallOptions): Promise<Uint8Array | undefined> {
    try {
      const signed = await this.links.use((link) => fetchSignedBundle(link, options));
      const { recoveryKey: key } = signed.answer;
      verifySignedBundle(signed, { trustDomain: this.#trustDomain, key, sequence: 0n });
      return key;
    } catch (error) {
      if (error instanceof RpcError && error.status === "unimplemented") return undefined;
      throw error;
    }
  }

  /**
   * From whoever answers: what comes counts only by its own signature, and a refusal counts for nothing. Were it taken
   * for the server's word, anybody at its address could have the agent give its identity up.
   *
   * @throws SERVER_ANSWER_INVALID  no answer, whatever the reason
   */
  async fetchSignedBundleInsecure(options: CallOptions): Promise<SignedBundle> {
    const link = openLinkInsecure(this.#address);
    try {
      return await fetchSignedBundle(link, options);
    } catch (cause) {
      options.signal?.throwIfAborted();
      throw new BonafideError(
        AGENT_ERRORS,
        "SERVER_ANSWER_INVALID",
        "a server that nothing verifies gave no signed bundle",
        { cause },
      );
    } finally {
      link.destroy();
    }
  }

  /** What whoever answers presents, for a message. */
  probeServerInsecure(options: CallOptions): Promise<Presented> {
    return probeServerInsecure(this.#address, options);
  }

  /** Ends all connections. Idempotent. */
  async close(): Promise<void> {
    this.links.close();
    await Promise.all([this.#connector.close(), this.#anonymous.close()]);
  }

  async #anonymously<T>(calls: (link: ServerLink) => Promise<T>): Promise<T> {
    const { host } = this.#address;
    const link = new ServerLink(this.#address, verifiedHandshake(this.#anonymous, host));
    try {
      return await calls(link);
    } catch (error) {
      throw link.reasonOf(error);
    } finally {
      link.destroy();
    }
  }
}

function strip({ bundles }: X509Context): X509Context {
  return x509ContextOf(undefined, bundles);
}

/** The same bundles, without an identity to present. */
function anonymousSource(source: X509ContextSource): X509ContextSource {
  return {
    context: () => strip(source.context()),
    async *updates(options = {}) {
      for await (const next of source.updates(options)) yield strip(next);
    },
  };
}
