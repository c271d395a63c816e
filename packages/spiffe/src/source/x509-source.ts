import { BonafideError } from "@bonafide/errors";
import type { Latest } from "@bonafide/lifetime";
import { SPIFFE_ERRORS } from "../errors.ts";
import type { X509Svid } from "../svid/x509-svid.ts";
import type { X509Context, X509ContextSource } from "./x509-context.ts";

/**
 * The identity of this process and the bundles to judge others by, kept fresh until it is closed.
 *
 * Safe for concurrent use; made by `openX509Source`, `openFileSource` or `openSource`, or over any {@link Latest}.
 */
export class X509Source implements X509ContextSource, AsyncDisposable {
  readonly #latest: Latest<X509Context>;
  readonly #stop: () => Promise<void>;
  #closed: Promise<void> | undefined;

  /**
   * @param latest  What the source gives; closed with it.
   * @param stop    Ends whatever feeds it; called once.
   */
  constructor(latest: Latest<X509Context>, stop: () => Promise<void> = () => Promise.resolve()) {
    this.#latest = latest;
    this.#stop = stop;
  }

  /**
   * The SVID to present now.
   *
   * @throws NO_IDENTITY_ISSUED  it was withdrawn
   * @throws SOURCE_CLOSED       after {@link X509Source.close}
   */
  current(): X509Svid {
    const { svid } = this.context();
    if (svid === undefined) {
      throw new BonafideError(SPIFFE_ERRORS, "NO_IDENTITY_ISSUED", "there is no SVID any more");
    }
    return svid;
  }

  /**
   * Everything the source knows now.
   *
   * @throws SOURCE_CLOSED  after {@link X509Source.close}
   */
  context(): X509Context {
    if (this.#closed !== undefined) {
      throw new BonafideError(SPIFFE_ERRORS, "SOURCE_CLOSED", "the source was closed");
    }
    return this.#latest.value;
  }

  /** Yields the state of now, then each newest one; ends with the source, or quietly when `signal` aborts. */
  updates(
    options: { readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<X509Context, void, void> {
    return this.#latest.updates(options);
  }

  /** Ends the source and waits for its work to end. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  /** The same as {@link X509Source.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #end(): Promise<void> {
    this.#latest.close();
    await this.#stop();
  }
}
