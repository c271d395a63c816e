import { isBonafideError } from "@bonafide/errors";
import { RpcError } from "@bonafide/rpc";
import type { TlsConnector, X509ContextSource, X509Svid } from "@bonafide/spiffe";
import type { RefusalReason } from "../core/standing.ts";
import { refusalOf } from "../server/refusal.ts";
import { type ServerAddress, ServerLink, verifiedHandshake } from "../server/server-link.ts";

/** What {@link ServerLinks} works with. */
export interface ServerLinksDeps {
  readonly address: ServerAddress;
  /** Presents the agent's SVID. */
  readonly connector: TlsConnector;
  readonly source: X509ContextSource;
  /** Told when the server refuses this agent as such, under the SVID of the moment. */
  readonly onRefused: (reason: RefusalReason) => void;
}

interface CurrentLink {
  readonly link: ServerLink;
  /** What it was opened with. */
  readonly svid: X509Svid | undefined;
}

/** The one connection under the agent's SVID, opened when it is needed, and anew after a rotation or a failure. */
export class ServerLinks {
  readonly #deps: ServerLinksDeps;
  #current: CurrentLink | undefined;
  #closed = false;

  constructor(deps: ServerLinksDeps) {
    this.#deps = deps;
  }

  /**
   * Runs calls on the connection of the moment.
   *
   * @throws what the calls threw, or the reason why there is no connection
   */
  async use<T>(calls: (link: ServerLink) => Promise<T>): Promise<T> {
    const { link, svid } = this.#open();
    try {
      return await calls(link);
    } catch (error) {
      const refusal = refusalOf(error);
      // What is said of an SVID that has been replaced since says nothing of the one in use.
      const isCurrent = this.#deps.source.context().svid === svid;
      if (refusal !== undefined && isCurrent) this.#deps.onRefused(refusal);
      if (isLost(error)) this.#forget(link);
      throw link.reasonOf(error);
    }
  }

  /** Ends the connection and all calls on it. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#current?.link.destroy();
    this.#current = undefined;
  }

  #open(): CurrentLink {
    const { svid } = this.#deps.source.context();
    if (this.#current !== undefined && this.#current.svid === svid) return this.#current;
    // Running calls on the old connection go on to their end.
    this.#current?.link.close();
    const { address, connector } = this.#deps;
    const link = new ServerLink(address, verifiedHandshake(connector, address.host));
    const current = { link, svid };
    this.#current = current;
    if (this.#closed) this.close();
    return current;
  }

  #forget(link: ServerLink): void {
    if (this.#current?.link !== link) return;
    this.#current = undefined;
    link.close();
  }
}

/** Whether the connection is to blame. A server that gives its reason has a connection to give it on. */
function isLost(error: unknown): boolean {
  if (!isBonafideError(error, "RPC_UNAVAILABLE")) return false;
  return !(error instanceof RpcError) || error.reason === undefined;
}
