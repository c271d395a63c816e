import { isBonafideError } from "@bonafide/errors";
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
  /** Told when the server refuses this agent as such. */
  readonly onRefused: (reason: RefusalReason) => void;
}

/** The one connection under the agent's SVID, opened when it is needed, and anew after a rotation or a failure. */
export class ServerLinks {
  readonly #deps: ServerLinksDeps;
  #current: { readonly link: ServerLink; readonly svid: X509Svid | undefined } | undefined;
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
    const link = this.#open();
    try {
      return await calls(link);
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal !== undefined) this.#deps.onRefused(refusal);
      if (isBonafideError(error, "RPC_UNAVAILABLE")) this.#forget(link);
      throw link.reasonOf(error);
    }
  }

  /** Ends the connection and all calls on it. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#current?.link.destroy();
    this.#current = undefined;
  }

  #open(): ServerLink {
    const { svid } = this.#deps.source.context();
    if (this.#current !== undefined && this.#current.svid === svid) return this.#current.link;
    // Running calls on the old connection go on to their end.
    this.#current?.link.close();
    const { address, connector } = this.#deps;
    const link = new ServerLink(address, verifiedHandshake(connector, address.host));
    this.#current = { link, svid };
    if (this.#closed) this.close();
    return link;
  }

  #forget(link: ServerLink): void {
    if (this.#current?.link !== link) return;
    this.#current = undefined;
    link.close();
  }
}
