import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { get } from "node:https";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { Bundle } from "@bonafide/proto/spire/api/server/bundle/v1/bundle_pb";
import {
  createHttpsAgent,
  createHttpsServer,
  exactId,
  memberOf,
  openX509Source,
  type X509Source,
} from "@bonafide/spiffe";
import type { ScenarioAgent } from "./agent.ts";
import { openScenario, type Scenario } from "./scenario.ts";
import { foreignServer } from "./settings.ts";

const options = { timeout: 300_000, skip: skipReason() };

function skipReason(): string | false {
  return foreignServer() === undefined ? false : "needs two servers of different trust domains";
}

/** A trust domain with one node and one workload, this process. */
interface Side {
  readonly scenario: Scenario;
  readonly agent: ScenarioAgent;
  readonly source: X509Source;
}

/** Gives one server the bundle of another, as an operator does by hand. */
async function tell(server: Scenario, of: Scenario): Promise<void> {
  const bundle = await of.admin(Bundle).getBundle({});
  const { results } = await server.admin(Bundle).batchSetFederatedBundle({ bundle: [bundle] });
  assert.deepEqual(
    results.map(({ status }) => status?.code),
    [0],
  );
}

async function openSide(scenario: Scenario, path: string, federatesWith: string[]): Promise<Side> {
  const agent = await scenario.agent(await scenario.token("/node/1"));
  await agent.serves();
  await scenario.entry(path, "/node/1", { federatesWith });
  await agent.hasIds([scenario.text(path)]);
  const source = await openX509Source({ address: `unix://${agent.socket}` });
  return { scenario, agent, source };
}

async function call(source: X509Source, port: number, id: string): Promise<string> {
  const agent = createHttpsAgent({ source, authorize: exactId(id) });
  try {
    const request = get({ host: "127.0.0.1", port, agent });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the one argument of this event
    const [response] = (await once(request, "response")) as [IncomingMessage];
    return await text(response);
  } finally {
    agent.destroy();
  }
}

test(
  "ghostunnel-federation: workloads of two trust domains call each other, servers and agents away or not",
  options,
  async () => {
    await using stack = new AsyncDisposableStack();
    const up = stack.use(await openScenario({ trustDomain: "upstream.example" }));
    const down = stack.use(await openScenario({ trustDomain: "downstream.example" }));
    await tell(up, down);
    await tell(down, up);
    const serving = await openSide(up, "/server", ["downstream.example"]);
    const calling = await openSide(down, "/client", ["upstream.example"]);
    stack.use(serving.source);
    stack.use(calling.source);
    const server = stack.use(
      createHttpsServer(
        { source: serving.source, authorize: memberOf("downstream.example") },
        (request, response) => response.end(`Hello ${request.peer.spiffeId}`),
      ),
    );
    const port = await server.listen({ port: 0, host: "127.0.0.1" });
    const id = up.text("/server");
    const hello = `Hello ${down.text("/client")}`;
    assert.equal(await call(calling.source, port, id), hello);

    // A workload whose entry federates with nobody cannot call, though its server knows the other domain.
    const aside = await down.agent(await down.token("/node/2"));
    await aside.serves();
    await down.entry("/aside", "/node/2");
    await aside.hasIds([down.text("/aside")]);
    await using stranger = await openX509Source({ address: `unix://${aside.socket}` });
    await assert.rejects(call(stranger, port, id));

    await up.stop();
    await down.stop();
    assert.equal(await call(calling.source, port, id), hello);
    await serving.agent.stop();
    await calling.agent.stop();
    assert.equal(await call(calling.source, port, id), hello);

    await up.start();
    await down.start();
    await serving.agent.restart();
    await calling.agent.restart();
    await calling.agent.hasIds([down.text("/client")]);
    assert.equal(await call(calling.source, port, id), hello);
  },
);
