import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Certificate } from "@bonafide/pki";
import type { AttestedNode, NodeAttestor, NodeProver } from "../node-attestor.ts";

/** An attestor with a node that it takes in. */
export interface NodeAttestorUnderTest extends Disposable {
  readonly attestor: NodeAttestor;
  readonly prover: NodeProver;
  readonly trustDomain: string;
  /** Of the own trust domain. Default: none. */
  readonly authorities?: readonly Certificate[];
}

const REFUSED = { code: "NODE_EVIDENCE_REFUSED" };
const GARBAGE = [
  new Uint8Array(),
  Uint8Array.of(0xff, 0xfe, 0x00),
  Buffer.from("null"),
  Buffer.from("{}"),
  Buffer.from('{"certificates":[{}]}'),
  Buffer.alloc(262_144, 0x5b),
];

/**
 * The contract of {@link NodeAttestor} and its {@link NodeProver}, as tests: every pair passes it.
 *
 * @param open  An attestor and a node of it; the suite disposes of them.
 */
export function nodeAttestorContract(
  name: string,
  open: () => Promise<NodeAttestorUnderTest>,
): void {
  suite(`node attestor ${name}`, () => {
    test("takes its node in, several at a time, by its own path and selectors", async () => {
      using under = await open();
      const { attestor, prover } = under;
      assert.equal(prover.name, attestor.name);
      const nodes = await Promise.all([1, 2, 3].map(() => attested(under)));
      for (const node of nodes) assert.deepEqual(node, nodes[0]);
      const [{ path, selectors } = { path: "", selectors: [] }] = nodes;
      assert.match(path, /^(\/[A-Za-z0-9._-]+)+$/);
      assert.ok(selectors.length <= 128 && selectors.every(({ type }) => type === attestor.name));
      assert.equal(new Set(selectors.map(({ value }) => value)).size, selectors.length);
    });

    test("refuses whatever is no evidence, and whatever is no answer", async () => {
      using under = await open();
      const { payload, answer } = await under.prover.begin({ signal: forever() });
      for (const bytes of GARBAGE) {
        await assert.rejects(attested(under, { payload: bytes, answer }), REFUSED);
        let isAsked = false;
        const reply = (): Promise<Uint8Array> => {
          isAsked = true;
          return Promise.resolve(bytes);
        };
        const judged = attested(under, { payload, answer: reply });
        await judged.then(
          () => assert.ok(!isAsked, "an answer that is none was taken"),
          (error: unknown) => assert.throws(() => rethrow(error), REFUSED),
        );
      }
    });

    test("fails with what ended the call while the node was asked", async () => {
      using under = await open();
      const { payload } = await under.prover.begin({ signal: forever() });
      const gone = new Error("gone");
      const answer = (): Promise<Uint8Array> => Promise.reject(gone);
      // One that asks nothing has nothing to fail with.
      await attested(under, { payload, answer }).catch((error: unknown) => {
        assert.equal(error, gone);
      });
    });
  });
}

async function attested(
  { attestor, prover, trustDomain, authorities = [] }: NodeAttestorUnderTest,
  proof?: Awaited<ReturnType<NodeProver["begin"]>>,
): Promise<AttestedNode> {
  const { payload, answer } = proof ?? (await prover.begin({ signal: forever() }));
  const context = { trustDomain, authorities, now: Date.now(), signal: forever() };
  return attestor.attest(payload, { ...context, challenge: (bytes) => answer(bytes) });
}

function forever(): AbortSignal {
  return new AbortController().signal;
}

function rethrow(error: unknown): never {
  throw error;
}
