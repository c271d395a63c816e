import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { AuthorityPatcher } from "./authority-patcher.ts";

type Written = (error?: Error | null) => void;

/**
 * A socket whose incoming bytes go through an {@link AuthorityPatcher}; made by {@link patchAuthority}.
 *
 * It owns the socket: ending or destroying either ends or destroys the other.
 */
export class PatchedSocket extends Duplex {
  readonly #socket: Socket;
  readonly #patcher = new AuthorityPatcher();

  constructor(socket: Socket) {
    super({ allowHalfOpen: true, autoDestroy: true });
    this.#socket = socket;
    // The HTTP/2 layer hears of a failure by the close; unheard, an error would end the process.
    this.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      const ready = this.#patcher.push(chunk);
      if (ready !== undefined && !this.push(ready)) socket.pause();
    });
    socket.on("end", () => {
      this.push(null);
    });
    socket.on("error", (error) => {
      this.destroy(error);
    });
    socket.on("close", () => {
      this.destroy();
    });
  }

  /** Values patched so far. */
  get patched(): number {
    return this.#patcher.patched;
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Written): void {
    this.#socket.write(chunk, done);
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], done: Written): void {
    this.#socket.cork();
    const last = chunks.length - 1;
    for (const [at, { chunk }] of chunks.entries()) {
      this.#socket.write(chunk, at === last ? done : undefined);
    }
    this.#socket.uncork();
  }

  override _final(done: Written): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: Written): void {
    this.#socket.destroy();
    done(error);
  }

  /** No-op: a unix socket has no Nagle delay. */
  setNoDelay(): this {
    return this;
  }

  /** No-op: a unix socket knows at once when the other end is gone. */
  setKeepAlive(): this {
    return this;
  }

  /** No-op: idle times are the server's. */
  setTimeout(): this {
    return this;
  }

  ref(): this {
    this.#socket.ref();
    return this;
  }

  unref(): this {
    this.#socket.unref();
    return this;
  }
}

/**
 * Puts the patch of `:authority` in front of the HTTP/2 layer, which otherwise resets requests whose authority is the
 * raw path of a socket (ADR-0055). For the workload socket only.
 */
export function patchAuthority(socket: Socket): PatchedSocket {
  return new PatchedSocket(socket);
}
