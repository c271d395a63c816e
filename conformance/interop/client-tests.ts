import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { get } from "node:https";
import { text } from "node:stream/consumers";
import type { TestContext } from "node:test";
import { TLSSocket } from "node:tls";
import {
  createHttpsAgent,
  createHttpsServer,
  exactId,
  memberOf,
  openJwtSource,
  openX509Source,
  type X509Source,
} from "@bonafide/spiffe";
import { type Node, openNode } from "../workload-api/testing.ts";
import { type Answer, build, Client, type ClientProgram } from "./client.ts";

const PATH = "/workload";
const ID = `spiffe://example.org${PATH}`;
const OTHER = "spiffe://example.org/other";
/** Short enough that a test sees rotations, long enough that a busy machine keeps up. */
const TTL_SECONDS = 4;

type Body = (program: ClientProgram, node: Node) => Promise<void>;

/** The tests of a program, by name; a file of the language registers them, so that they count as that language's. */
export function clientTests(
  program: ClientProgram,
): readonly (readonly [string, (t: TestContext) => Promise<void>])[] {
  const bodies: Readonly<Record<string, Body>> = {
    "fetches its identity, and is told when it has none": fetches,
    "watches across two rotations on one stream": watches,
    "calls our server over mutual TLS, and each side refuses a stranger": calls,
    "serves our client over mutual TLS, with its new identity after a rotation": serves,
    "fetches JWT-SVIDs and validates ours, by the agent and by its own code": judges,
  };
  return Object.entries(bodies).map(([name, body]) => [
    `${program.language} ${name}`,
    async (t) => {
      if (!(await build(program))) {
        t.skip(`there is no ${program.toolchain[0]} here`);
        return;
      }
      await using node = await openNode();
      await body(program, node);
    },
  ]);
}

function open(program: ClientProgram, node: Node): Client {
  return new Client(program, node.agt.agent.workloadSocket);
}

function openSource(node: Node): Promise<X509Source> {
  return openX509Source(
    { address: `unix://${node.agt.agent.workloadSocket}` },
    { signal: AbortSignal.timeout(60_000) },
  );
}

function isContext({ event, ids, text: why = "" }: Answer): void {
  assert.equal(event, "context", why);
  assert.deepEqual(ids, [ID]);
}

async function fetches(program: ClientProgram, node: Node): Promise<void> {
  await using client = open(program, node);
  const refused = await client.ask({ do: "fetch" });
  assert.equal(refused.code, "PermissionDenied", JSON.stringify(refused));
  await node.entry(PATH, { hint: "internal" });
  const fetched = await client.ask({ do: "fetch" });
  isContext(fetched);
  assert.deepEqual(fetched.hints ?? ["internal"], ["internal"]);
  assert.deepEqual(fetched.bundles, { "example.org": 1 });
}

async function watches(program: ClientProgram, node: Node): Promise<void> {
  await node.entry(PATH, { x509SvidTtl: TTL_SECONDS });
  await using client = open(program, node);
  const leaves = new Set<string>();
  for (let seen = 0; seen < 3; seen++) {
    const update = seen === 0 ? await client.ask({ do: "watch", count: 3 }) : await client.next();
    isContext(update);
    for (const leaf of update.leaves ?? []) leaves.add(leaf);
  }
  assert.equal(leaves.size, 3);
}

async function calls(program: ClientProgram, node: Node): Promise<void> {
  await node.entry(PATH);
  await using source = await openSource(node);
  await using client = open(program, node);
  const handled: string[] = [];
  await using servers = new AsyncDisposableStack();
  const serve = async (authorize: ReturnType<typeof memberOf>): Promise<number> => {
    const server = servers.use(
      createHttpsServer({ source, authorize }, (request, response) => {
        handled.push(request.peer.spiffeId);
        response.end(`Hello ${request.peer.spiffeId} from us`);
      }),
    );
    return server.listen({ port: 0, host: "127.0.0.1" });
  };
  const port = await serve(memberOf("example.org"));
  const answered = await client.ask({ do: "call", port, id: ID });
  assert.equal(answered.event, "answer", JSON.stringify(answered));
  assert.ok(answered.text?.endsWith(`Hello ${ID} from us`), JSON.stringify(answered));
  assert.equal(handled.length, 1);

  // They want somebody else; we want somebody else.
  assert.equal((await client.ask({ do: "call", port, id: OTHER })).event, "error");
  const refused = await client.ask({ do: "call", port: await serve(exactId(OTHER)), id: ID });
  assert.doesNotMatch(refused.text ?? "", /Hello/);
  assert.equal(handled.length, 1);
}

async function serves(program: ClientProgram, node: Node): Promise<void> {
  await node.entry(PATH, { x509SvidTtl: TTL_SECONDS });
  await using source = await openSource(node);
  await using client = open(program, node);
  const { event, port = 0, text: why = "" } = await client.ask({ do: "serve" });
  assert.equal(event, "listening", why);
  const first = await callUs(source, port);
  assert.equal(first.body, `Hello ${ID} from ${ID}`);
  // Each call is a new connection; the file's own time limit ends this where no rotation is seen.
  let later = first;
  while (later.serial === first.serial) later = await callUs(source, port);
  assert.equal(later.body, first.body);
  await assert.rejects(callUs(source, port, OTHER));
}

async function callUs(
  source: X509Source,
  port: number,
  id = ID,
): Promise<{ body: string; serial: string }> {
  const agent = createHttpsAgent({ source, authorize: exactId(id) });
  try {
    const request = get({ host: "127.0.0.1", port, agent });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the one argument of this event
    const [response] = (await once(request, "response")) as [IncomingMessage];
    assert.ok(response.socket instanceof TLSSocket);
    const serial = response.socket.getPeerX509Certificate()?.serialNumber ?? "";
    return { body: await text(response), serial };
  } finally {
    agent.destroy();
  }
}

async function judges(program: ClientProgram, node: Node): Promise<void> {
  const audience = "spiffe://example.org/db";
  await using client = open(program, node);
  const refused = await client.ask({ do: "jwt", audience });
  assert.equal(refused.code, "PermissionDenied", JSON.stringify(refused));
  await node.entry(PATH, { hint: "internal" });
  await using source = await openJwtSource(
    { address: `unix://${node.agt.agent.workloadSocket}` },
    { signal: AbortSignal.timeout(60_000) },
  );

  // Their token, judged by them, by the agent and by us.
  const {
    event,
    token = "",
    ids,
    hints,
    text: why = "",
  } = await client.ask({ do: "jwt", audience });
  assert.equal(event, "jwt", why);
  assert.deepEqual(ids, [ID]);
  assert.deepEqual(hints ?? ["internal"], ["internal"]);
  const accepted = { event: "verdict", remote: ID, local: ID };
  assert.deepEqual(await client.ask({ do: "judge", audience, token }), accepted);
  assert.equal(source.verify(token, { audience }).id, ID);

  // Ours, and one that is for somebody else.
  const ours = await source.fetch(audience);
  assert.deepEqual(await client.ask({ do: "judge", audience, token: ours.token }), accepted);
  const wrong = await client.ask({ do: "judge", audience: "other", token: ours.token });
  assert.match(wrong.remote ?? "", /^refused: /);
  assert.match(wrong.local ?? "", /^refused: /);
}
