import { madeExtension, makeCertificate, type MadeTemplate, makeKey } from "@bonafide/pki/testing";
import * as fc from "fast-check";
import { type Judge, opensslJudge, ours } from "./judges.ts";
import { type MadeChain, mutate, mutations } from "./mutate-chain.ts";

/** Chains judged at once. */
const ROUND = 5000;

/** What both judges said of mutated chains. */
export interface Judgement {
  /** Chains that we accepted. */
  readonly accepted: number;
  /** Chains that we accepted and another refused, but for what the ADR lists. */
  readonly problems: readonly string[];
  /** How many of each kind of the ADR's list were seen. */
  readonly known: ReadonlyMap<string, number>;
}

/** What others refuse and we accept, with the reason in ADR 0135. */
const KNOWN: readonly { readonly judge: string; readonly reason: RegExp; readonly why: string }[] =
  [
    {
      judge: "Go",
      reason:
        /invalid (?:authority info access|certificate policies|policy (?:mappings|constraints) extension|inhibit any policy extension|CRL distribution point)/,
      why: "an extension that we do not read, and that is not critical",
    },
    {
      judge: "Go",
      reason: /not authorized to sign for this name: x509: cannot parse dnsName/,
      why: "a DNS name that identifies nobody, under constraints on URIs",
    },
  ];

/** Sound chains of every shape that mutations start from. */
function baseChains(): readonly MadeChain[] {
  const chains: MadeChain[] = [];
  for (const rich of [false, true]) {
    for (const length of [2, 3, 4]) {
      const made = [makeCertificate({ ...authority(rich, 0), commonName: "A0" })];
      for (let i = 1; i < length - 1; i++) {
        made.unshift(makeCertificate({ ...authority(rich, i), commonName: `A${i}` }, made[0]));
      }
      made.unshift(makeCertificate(leaf(rich), made[0]));
      chains.push(made);
    }
  }
  return chains;
}

function authority(rich: boolean, depth: number): MadeTemplate {
  const more = {
    pathLength: 3 - depth,
    permitted: ["a"],
    excluded: ["b"],
    extensions: [madeExtension("1.3.6.1.5.5.7.1.1", false, Uint8Array.of(0x30, 0))],
  };
  return { isAuthority: true, uris: ["spiffe://a"], key: makeKey(), ...(rich ? more : {}) };
}

function leaf(rich: boolean): MadeTemplate {
  const more = {
    dnsNames: ["a.example"],
    extendedKeyUsage: ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"],
    extensions: [madeExtension("1.2.3.4", false, Uint8Array.of(5, 0))],
  };
  return { uris: ["spiffe://a/x"], commonName: "w", ...(rich ? more : {}) };
}

/** Mutates sound chains and has all three judge them. */
export function judgeMutations(
  go: Judge,
  options: { readonly seed: number; readonly count: number },
): Judgement {
  const { seed, count } = options;
  const now = Date.now();
  const bases = baseChains();
  const problems: string[] = [];
  const known = new Map<string, number>();
  let accepted = 0;
  for (let from = 0; from < count; from += ROUND) {
    const numRuns = Math.min(ROUND, count - from);
    const picked = fc.sample(mutations(bases.length), { numRuns, seed: seed + from });
    const chains = picked.map((mutation) => mutate(bases[mutation.base] ?? [], mutation));
    const believed = chains.flatMap((chain, index) =>
      ours(chain, now) === "ok" ? [{ chain, mutation: picked[index] }] : [],
    );
    accepted += believed.length;
    const plain = believed.map(({ chain }) => chain);
    for (const [name, judge] of [
      ["Go", go],
      ["OpenSSL", opensslJudge],
    ] as const) {
      for (const [index, verdict] of judge(plain, now).entries()) {
        if (verdict === "ok") continue;
        const entry = KNOWN.find((each) => each.judge === name && each.reason.test(verdict));
        if (entry !== undefined) known.set(entry.why, (known.get(entry.why) ?? 0) + 1);
        else {
          const { mutation, chain } = believed[index] ?? {};
          const der = [...(chain?.chain ?? []), ...(chain?.anchors ?? [])].map((each) =>
            Buffer.from(each).toString("base64"),
          );
          const what = `${JSON.stringify(mutation)} ${der.join(" ")}`;
          problems.push(`seed ${seed + from}: ${name} refuses (${verdict}) ${what}`);
        }
      }
    }
  }
  return { accepted, problems, known };
}
