import { Worker } from "node:worker_threads";
import { BonafideError } from "@bonafide/errors";
import { STORE_ERRORS, type StoreErrorCode } from "@bonafide/plugin-api";
import type { DatabaseOptions } from "./database.ts";
import type { Answer, CallName, Request } from "./messages.ts";
import type { StoreCalls } from "./store-calls.ts";

interface Pending {
  readonly call: CallName | "open";
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** The main thread's end of the worker. */
export class WorkerClient {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #ended: StoreErrorCode | undefined;
  #closing: Promise<void> | undefined;

  private constructor(workerUrl: URL, options: DatabaseOptions) {
    this.#worker = new Worker(workerUrl, { workerData: options, name: "store-sqlite" });
    this.#worker.on("message", (answer: Answer) => {
      const pending = this.#pending.get(answer.id);
      this.#pending.delete(answer.id);
      if ("failure" in answer) {
        const { code, message, cause } = answer.failure;
        pending?.reject(new BonafideError(STORE_ERRORS, code, message, { cause }));
      } else pending?.resolve(answer.value);
    });
    this.#worker.on("error", (error) => this.#end("STORE_UNAVAILABLE", error));
    this.#worker.on("exit", () => this.#end("STORE_CLOSED", undefined));
  }

  /** Starts the worker and waits for the file to be open. */
  static async open(workerUrl: URL, options: DatabaseOptions): Promise<WorkerClient> {
    const client = new WorkerClient(workerUrl, options);
    try {
      await new Promise((resolve, reject) => {
        client.#pending.set(0, { call: "open", resolve, reject });
      });
    } catch (error) {
      await client.#worker.terminate();
      throw error;
    }
    return client;
  }

  /** Sends one call; answers come in the order of the calls. */
  call<N extends CallName>(
    call: N,
    ...args: Parameters<StoreCalls[N]>
  ): Promise<ReturnType<StoreCalls[N]>> {
    if (this.#ended !== undefined) return Promise.reject(endedError(this.#ended, undefined));
    if (this.#closing !== undefined) return Promise.reject(endedError("STORE_CLOSED", undefined));
    return this.#send(call, args);
  }

  /** Waits for all calls that were sent, then for the file to be let go of. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#ended === undefined ? this.#close() : Promise.resolve();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#send("close", []);
    await this.#worker.terminate();
  }

  #send<T>(call: CallName, args: readonly unknown[]): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#lastId += 1;
      const pending = { call, resolve, reject };
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the worker answers a call with its own result
      this.#pending.set(this.#lastId, pending as Pending);
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
      this.#worker.postMessage({ id: this.#lastId, call, args } satisfies Request);
    });
  }

  /** A commit that was under way may have happened. */
  #end(code: StoreErrorCode, cause: unknown): void {
    this.#ended ??= code;
    for (const { call, reject } of this.#pending.values()) {
      reject(endedError(call === "append" ? "STORE_UNKNOWN_OUTCOME" : code, cause));
    }
    this.#pending.clear();
  }
}

function endedError(code: StoreErrorCode, cause: unknown): BonafideError {
  return new BonafideError(STORE_ERRORS, code, "the store's thread has ended", { cause });
}
