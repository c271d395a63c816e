import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type {
  Grade,
  NamespaceKind,
  ProcFact,
  WorkloadAttestor,
  WorkloadCaller,
} from "../workload-attestor.ts";

const CLOSED: ProcFact<never> = { kind: "unreadable", errno: "EACCES" };

/** A caller of whom procfs says nothing; what is given replaces that. */
export function makeWorkloadCaller(given: Partial<WorkloadCaller> = {}): WorkloadCaller {
  const namespaces: Record<NamespaceKind, ProcFact<string>> = {
    user: CLOSED,
    pid: CLOSED,
    mnt: CLOSED,
  };
  return {
    pid: 4242,
    uid: 61_001,
    gid: 61_002,
    groups: [61_003, 61_004],
    pidfdInode: undefined,
    cgroupId: undefined,
    facts: {
      sessionId: CLOSED,
      startTicks: CLOSED,
      executableLink: CLOSED,
      cgroupPath: CLOSED,
      namespaces,
    },
    procPath: () => undefined,
    ...given,
  };
}

const GRADES: readonly Grade[] = ["boundary", "user", "label"];

/**
 * The contract of {@link WorkloadAttestor}, as tests: every attestor passes it.
 *
 * @param name     Of the attestor.
 * @param open     Makes an attestor; the suite disposes of it.
 * @param callers  Callers that the attestor finds something about.
 */
export function workloadAttestorContract(
  name: string,
  open: () => Promise<WorkloadAttestor & Partial<AsyncDisposable>>,
  callers: readonly WorkloadCaller[] = [],
): void {
  const { signal } = new AbortController();
  const all = [makeWorkloadCaller(), ...callers];

  suite(`workload attestor ${name}`, () => {
    test("gives selectors of its own type only, each once, with grade and source", async () => {
      const attestor = await open();
      assert.match(attestor.name, /^[a-z][a-z0-9_]*$/);
      for (const caller of all) {
        const { selectors } = await attestor.attest(caller, { signal });
        assert.ok(selectors.length <= 256);
        assert.equal(new Set(selectors.map(({ value }) => value)).size, selectors.length);
        for (const { type, value, grade, source } of selectors) {
          assert.equal(type, attestor.name);
          assert.match(value, /^[a-z0-9_]+:./);
          assert.ok(GRADES.includes(grade));
          assert.notEqual(source, "");
        }
      }
      await attestor[Symbol.asyncDispose]?.();
    });

    test("names its own facts when it omits them, with a sentence", async () => {
      const attestor = await open();
      for (const caller of all) {
        const { omitted } = await attestor.attest(caller, { signal });
        for (const { fact, text, reason } of omitted) {
          assert.ok(fact === attestor.name || fact.startsWith(`${attestor.name}:`), fact);
          assert.notEqual(text, "");
          assert.match(reason, /^attestor\.[a-z_]+$/);
        }
      }
      await attestor[Symbol.asyncDispose]?.();
    });

    test("a fact is found or omitted, never both", async () => {
      const attestor = await open();
      for (const caller of all) {
        const { selectors, omitted } = await attestor.attest(caller, { signal });
        for (const { fact } of omitted) {
          const found = selectors.some(({ type, value }) =>
            `${type}:${value}`.startsWith(`${fact}:`),
          );
          // Of several groups some may have a name and others none.
          assert.ok(!found || fact.endsWith("supplementary_group"), fact);
        }
      }
      await attestor[Symbol.asyncDispose]?.();
    });

    test("a caller of whom nothing can be read is no failure", async () => {
      const attestor = await open();
      await attestor.attest(makeWorkloadCaller(), { signal });
      await attestor[Symbol.asyncDispose]?.();
    });

    test("answers or rejects soon when it is aborted", async () => {
      const attestor = await open();
      for (const caller of all) {
        await Promise.allSettled([attestor.attest(caller, { signal: AbortSignal.abort() })]);
      }
      await attestor[Symbol.asyncDispose]?.();
    });

    test("concurrent calls answer the same", async () => {
      const attestor = await open();
      for (const caller of all) {
        const first = await attestor.attest(caller, { signal });
        const more = await Promise.all(
          Array.from({ length: 20 }, () => attestor.attest(caller, { signal })),
        );
        for (const each of more) assert.deepEqual(each, first);
      }
      await attestor[Symbol.asyncDispose]?.();
    });
  });
}
