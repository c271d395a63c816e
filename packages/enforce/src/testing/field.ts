import { Agent, request, type RequestOptions } from "node:https";
import { type Authorizer, createHttpsAgent, memberOf } from "@bonafide/spiffe";
import { TestTrustDomain } from "@bonafide/spiffe/testing";

/** A trust domain with a server's source, and clients that call by path. */
export class Field {
  readonly domain: TestTrustDomain = new TestTrustDomain("example.org");
  readonly authorize: Authorizer = memberOf("example.org");
  readonly #agents: Agent[] = [];

  /** An agent of one caller. @param path  Such as `/ns/shop/checkout`. */
  agent(path: string): Agent {
    const agent = createHttpsAgent({ source: this.domain.source(path), authorize: this.authorize });
    this.#agents.push(agent);
    return agent;
  }

  [Symbol.dispose](): void {
    for (const agent of this.#agents) agent.destroy();
  }
}

/** What came back. */
export interface Received {
  readonly status: number | undefined;
  readonly body: string;
}

/** Sends a request with its target as it is given, and waits for all of the answer. */
export function send(
  port: number,
  agent: Agent,
  path: string,
  options: RequestOptions = {},
): Promise<Received> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, agent, path, ...options }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (text: string) => (body += text));
      response.on("end", () => resolve({ status: response.statusCode, body }));
      response.on("error", reject);
    });
    sent.on("error", reject);
    sent.end();
  });
}
