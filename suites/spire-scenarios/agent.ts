import { SpiffeWorkloadAPI, type X509SVIDResponse } from "@bonafide/proto/workload_pb";
import { type Channel, type Client, createClient, openUnixChannel, RpcError } from "@bonafide/rpc";
import { Spawned, until } from "./spawned.ts";

const HEADERS = { "workload.spiffe.io": "true" };

/** An agent in a process of its own, and a workload of it: this process, which its selectors are those of. */
export class ScenarioAgent implements AsyncDisposable {
  readonly socket: string;
  readonly #command: readonly string[];
  readonly #log: string;
  #process: Spawned;
  #channel: Channel | undefined;

  constructor(command: readonly string[], socket: string, log: string) {
    this.#command = command;
    this.#log = log;
    this.socket = socket;
    this.#process = new Spawned(command, log);
  }

  get isRunning(): boolean {
    return this.#process.isRunning;
  }

  /** The end of its log, for people. */
  get told(): string {
    return this.#process.told;
  }

  get workload(): Client<typeof SpiffeWorkloadAPI> {
    this.#channel ??= openUnixChannel(this.socket, { reconnectMsMax: 500 });
    return createClient(SpiffeWorkloadAPI, this.#channel);
  }

  /** Waits until it answers workloads. @throws when it ended instead */
  async serves(): Promise<this> {
    return until(async () => {
      if (!this.isRunning) throw new Error(`the agent ended:\n${this.told}`);
      const answer = await this.#first();
      return answer === "away" ? undefined : this;
    });
  }

  /** Waits until this workload has exactly these IDs, as `spiffe://` texts. @returns the message that says so */
  async hasIds(ids: readonly string[]): Promise<X509SVIDResponse> {
    const wanted = ids.toSorted().join(" ");
    return until(() => this.#matching((message) => idsOf(message) === wanted));
  }

  /** Waits until this workload is told that it has no identity. */
  async hasNone(): Promise<void> {
    await until(async () => ((await this.#first()) === "none" ? true : undefined));
  }

  /** Watches this workload's SVIDs, until the caller ends it. */
  watch(signal?: AbortSignal): AsyncGenerator<X509SVIDResponse, void, void> {
    const options = signal === undefined ? { headers: HEADERS } : { headers: HEADERS, signal };
    return this.workload.fetchX509SVID({}, options);
  }

  /** A token for an audience. */
  async jwt(audience: string): Promise<string> {
    const { svids } = await this.workload.fetchJWTSVID(
      { audience: [audience] },
      { headers: HEADERS },
    );
    return svids[0]?.svid ?? "";
  }

  /** The SPIFFE ID that the agent finds in a token. @throws RpcError when it refuses it */
  async validate(audience: string, svid: string): Promise<string> {
    const { spiffeId } = await this.workload.validateJWTSVID(
      { audience, svid },
      { headers: HEADERS },
    );
    return spiffeId;
  }

  /** JWK sets by trust domain ID, as of now. */
  async jwtBundles(): Promise<Readonly<Record<string, string>>> {
    for await (const { bundles } of this.workload.fetchJWTBundles({}, { headers: HEADERS })) {
      return Object.fromEntries(
        Object.entries(bundles).map(([id, bytes]) => [id, Buffer.from(bytes).toString()]),
      );
    }
    throw new Error("the stream ended");
  }

  /** Ends the process. */
  stop(): Promise<void> {
    return this.#process.stop();
  }

  /** Waits until the process ends by itself. */
  ended(): Promise<void> {
    return this.#process.ended();
  }

  /** Ends the process if it runs, and starts it again on its data. */
  async restart(): Promise<void> {
    if (this.isRunning) await this.stop();
    this.#process = new Spawned(this.#command, this.#log);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#channel?.close();
    if (this.isRunning) await this.stop();
  }

  async #first(): Promise<"some" | "none" | "away"> {
    const seen: { status?: string } = {};
    const message = await this.#matching(() => true, seen);
    if (message !== undefined) return "some";
    return seen.status === "permission_denied" ? "none" : "away";
  }

  /** The first message of a stream that fulfils a condition; undefined where the stream ends or fails before. */
  async #matching(
    holds: (message: X509SVIDResponse) => boolean,
    seen: { status?: string } = {},
  ): Promise<X509SVIDResponse | undefined> {
    try {
      for await (const message of this.watch()) if (holds(message)) return message;
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      seen.status = error.status;
    }
    return undefined;
  }
}

/** The IDs of a message in a form that can be compared. */
export function idsOf(message: X509SVIDResponse): string {
  return message.svids
    .map(({ spiffeId }) => spiffeId)
    .toSorted()
    .join(" ");
}
