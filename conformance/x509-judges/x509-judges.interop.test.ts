import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, suite, test, type TestContext } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import { KEY_USAGE, parseCertificate, verifyPath } from "@bonafide/pki";
import {
  type ChainCase,
  chainCases,
  madeExtension,
  makeCertificate,
  type MadeCertificate,
  type MadeTemplate,
  makeKey,
} from "@bonafide/pki/testing";
import * as fc from "fast-check";

type Chain = Pick<ChainCase, "chain" | "anchors">;

const DAY_MS = 86_400_000;
const RANDOM_CHAINS = 400;
const OPENSSL_CHAINS = 150;
const now = Date.now();

/** Where Go sees a case of the fixture list otherwise, and why. */
const GO_DIFFERS: Readonly<Record<string, string>> = {
  "R7: leaf with CA true": "a rule for identities",
  "R8: leaf with keyCertSign": "a rule for identities",
  "R9: leaf with cRLSign": "a rule for identities",
  "R25: the trust anchor presented as peer": "a rule for identities",
  "R28: RSA 1024 leaf": "it leaves the size of keys to TLS",
  "R28: RSA 1024 authority": "it leaves the size of keys to TLS",
  "R: more certificates than a peer may present": "a bound of ours",
  "R: path deeper than the limit": "a bound of ours",
  "R: constraint on DNS names": "it can judge DNS names",
  "R: version 1": "it reads the extensions of a version that has none",
};

function seedOf(t: TestContext): number {
  const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
  t.diagnostic(`seed ${seed}`);
  return seed;
}

function ours({ chain, anchors }: Chain): string {
  try {
    const roots = anchors.map(({ der }) => parseCertificate(der));
    verifyPath(
      chain.map(({ der }) => parseCertificate(der)),
      roots,
      { now },
    );
    return "ok";
  } catch (error) {
    if (isBonafideError(error)) return error.code;
    throw error;
  }
}

function base64({ der }: MadeCertificate): string {
  return Buffer.from(der).toString("base64");
}

function go(chains: readonly Chain[]): readonly string[] {
  const input = JSON.stringify(
    chains.map(({ chain, anchors }) => ({
      chain: chain.map(base64),
      anchors: anchors.map(base64),
      nowMs: now,
    })),
  );
  const output = execFileSync("go", ["run", "."], {
    cwd: import.meta.dirname,
    input,
    maxBuffer: 2 ** 26,
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own program's output, counted below
  const verdicts = JSON.parse(output.toString()) as readonly string[];
  assert.equal(verdicts.length, chains.length);
  return verdicts;
}

const hasGo = ((): boolean => {
  try {
    execFileSync("go", ["version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();
const skip = hasGo ? false : "there is no Go here";

/** One authority or leaf of a random chain, sound in most respects. */
const key = makeKey();
const critical = madeExtension("1.2.3.4", true, Uint8Array.of(5, 0));
const mostly = <T>(sound: T, ...odd: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof(
    { weight: 12, arbitrary: fc.constant(sound) },
    { weight: 1, arbitrary: fc.constantFrom(...odd) },
  );
const authority: fc.Arbitrary<MadeTemplate> = fc
  .record({
    isAuthority: mostly(true, false),
    pathLength: mostly<number | undefined>(undefined, 0, 1, 2),
    keyUsage: mostly<number | null>(KEY_USAGE.keyCertSign, KEY_USAGE.cRLSign, null),
    hasKeyIds: mostly(true, false),
    days: mostly([-1, 1], [-2, -1], [1, 2]),
    permitted: mostly<readonly string[]>([], ["a"], ["b"], [".c"], ["a", "b"]),
    excluded: mostly<readonly string[]>([], ["a"], ["b"], [".c"]),
    extensions: mostly<readonly Uint8Array[]>([], [critical]),
    uris: mostly<readonly string[]>([], ["spiffe://a"], ["spiffe://b"]),
  })
  .map(({ days: [from = 0, to = 0], isAuthority, pathLength, ...rest }) => ({
    ...rest,
    isAuthority,
    ...(isAuthority && pathLength !== undefined ? { pathLength } : {}),
    notBefore: now + from * DAY_MS,
    notAfter: now + to * DAY_MS,
  }));
const end: fc.Arbitrary<MadeTemplate> = fc.record({
  uris: mostly<readonly string[]>(["spiffe://a/x"], ["spiffe://b/x"], ["spiffe://h.c/x"], []),
  keyUsage: mostly<number | null>(KEY_USAGE.digitalSignature, null),
  hasBasicConstraints: mostly(true, false),
  hasKeyIds: mostly(true, false),
  extensions: mostly<readonly Uint8Array[]>([], [critical]),
  commonName: mostly("w", "x"),
});

// To Go, the constraint `a` also covers hosts below `a`; RFC 5280 §4.2.1.10 and openssl say the host itself. Hence no
// host here lies below a constraint without a dot.

/** Root, then up to three authorities, then a leaf; presented in any order, perhaps one left out. */
const randomChain: fc.Arbitrary<Chain> = fc
  .record({
    authorities: fc.array(authority, { minLength: 1, maxLength: 4 }),
    leaf: end,
    names: fc.array(fc.constantFrom("A", "B", "C", "D"), { minLength: 4, maxLength: 4 }),
    sharesKey: mostly(false, true),
    order: fc.array(fc.nat(3), { minLength: 3, maxLength: 3 }),
    leftOut: mostly<number | undefined>(undefined, 0, 1),
  })
  .map(({ authorities, leaf, names, sharesKey, order, leftOut }) => {
    const made: MadeCertificate[] = [];
    for (const [index, template] of authorities.entries()) {
      const commonName = `${names[index] ?? ""}${index}`;
      const keys = sharesKey ? { key } : {};
      made.push(makeCertificate({ ...template, commonName, ...keys }, made.at(-1)));
    }
    const [root, ...below] = made;
    assert.ok(root !== undefined);
    const presented = below
      .map((each, index) => ({ each, rank: order[index] ?? 0 }))
      .toSorted((a, b) => a.rank - b.rank)
      .map(({ each }) => each)
      .filter((_, index) => index !== leftOut);
    return { chain: [makeCertificate(leaf, made.at(-1)), ...presented], anchors: [root] };
  });

suite("X509-19 (X509-SVID §5.1): Go's crypto/x509 as judge of the same chains", { skip }, () => {
  test("the fixture list, but where the list here says why not", () => {
    const cases = chainCases();
    const verdicts = go(cases);
    const problems = cases.flatMap((entry, index) => {
      const differs = (verdicts[index] === "ok") !== (ours(entry) === "ok");
      if (differs === entry.name in GO_DIFFERS) return [];
      return [`${entry.name}: ours ${ours(entry)}, Go ${verdicts[index] ?? ""}`];
    });
    assert.deepEqual(problems, []);
  });

  test(`${RANDOM_CHAINS} random chains`, (t) => {
    const seed = seedOf(t);
    const chains = fc.sample(randomChain, { numRuns: RANDOM_CHAINS, seed });
    const verdicts = go(chains);
    let accepted = 0;
    const problems = chains.flatMap((entry, index) => {
      const verdict = ours(entry);
      if (verdict === "ok") accepted++;
      if ((verdict === "ok") === (verdicts[index] === "ok")) return [];
      return [`seed ${seed}, chain ${index}: ours ${verdict}, Go ${verdicts[index] ?? ""}`];
    });
    assert.deepEqual(problems, []);
    assert.ok(accepted > RANDOM_CHAINS / 20 && accepted < (RANDOM_CHAINS * 19) / 20, `${accepted}`);
  });
});

const folder = mkdtempSync(join(tmpdir(), "bonafide-judges-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function writePem(name: string, certificates: readonly MadeCertificate[]): string {
  const path = join(folder, name);
  writeFileSync(path, certificates.map(({ pem }) => pem).join(""));
  return path;
}

function openssl({ chain, anchors }: Chain): string {
  const options = ["-no-CApath", "-no-CAstore", "-attime", String(Math.floor(now / 1000))];
  const anchor = ["-CAfile", writePem("anchors.pem", anchors)];
  const others = chain.length > 1 ? ["-untrusted", writePem("others.pem", chain.slice(1))] : [];
  const leaf = writePem("leaf.pem", chain.slice(0, 1));
  const args = ["verify", ...options, ...anchor, ...others, leaf];
  const { status, stderr } = spawnSync("openssl", args, { encoding: "utf8" });
  return status === 0 ? "ok" : stderr;
}

test(`X509-19 (X509-SVID §5.1): openssl as judge of ${OPENSSL_CHAINS} random chains`, (t) => {
  const seed = seedOf(t);
  const problems = fc
    .sample(randomChain, { numRuns: OPENSSL_CHAINS, seed })
    .flatMap((entry, index) => {
      const [verdict, theirs] = [ours(entry), openssl(entry)];
      if ((verdict === "ok") === (theirs === "ok")) return [];
      return [`seed ${seed}, chain ${index}: ours ${verdict}, openssl ${theirs}`];
    });
  assert.deepEqual(problems, []);
});
