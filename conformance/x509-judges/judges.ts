import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { isBonafideError } from "@bonafide/errors";
import { parseCertificate, verifyPath } from "@bonafide/pki";

/** A chain of plain bytes, leaf first, and the authorities to judge it by. */
export interface DerChain {
  readonly chain: readonly Uint8Array[];
  readonly anchors: readonly Uint8Array[];
}

/** Chains given to another judge at once: a few megabytes of JSON. */
const BATCH = 2000;

/** Our own verdict: `ok`, or the code. Anything else that is thrown is a fault of ours. */
export function ours({ chain, anchors }: DerChain, now: number): string {
  try {
    verifyPath(
      chain.map((der) => parseCertificate(der)),
      anchors.map((der) => parseCertificate(der)),
      { now },
    );
    return "ok";
  } catch (error) {
    if (isBonafideError(error)) return error.code;
    throw error;
  }
}

/** Another judge: `ok`, or its reason, for each chain in order. */
export type Judge = (chains: readonly DerChain[], now: number) => readonly string[];

/** Go's crypto/x509, built once. Disposed of, it removes what it built. */
export function openGoJudge(): { readonly judge: Judge } & Disposable {
  const folder = mkdtempSync(join(tmpdir(), "bonafide-judges-"));
  const program = join(folder, "judge");
  execFileSync("go", ["build", "-o", program, "."], { cwd: import.meta.dirname });
  return {
    judge: (chains, now) => inBatches(program, [], chains, now),
    [Symbol.dispose]: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** OpenSSL's libcrypto, called from Python. */
export function opensslJudge(chains: readonly DerChain[], now: number): readonly string[] {
  return inBatches("python3", [join(import.meta.dirname, "openssl_judge.py")], chains, now);
}

/** The seed of this run: `SEED`, or a fresh one, which is printed. */
export function freshSeed(what: string): number {
  const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
  report(`${what}: SEED=${seed}`);
  return seed;
}

/** Says what was judged, also when nothing fails. */
export function report(line: string): void {
  process.stdout.write(`${line}\n`);
}

function inBatches(
  program: string,
  args: readonly string[],
  chains: readonly DerChain[],
  now: number,
): readonly string[] {
  const verdicts: string[] = [];
  for (let from = 0; from < chains.length; from += BATCH) {
    const input = JSON.stringify(
      chains.slice(from, from + BATCH).map(({ chain, anchors }) => ({
        chain: chain.map(base64),
        anchors: anchors.map(base64),
        nowMs: now,
      })),
    );
    const output = execFileSync(program, args, { input, maxBuffer: 2 ** 26 });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own program's output, counted below
    verdicts.push(...(JSON.parse(output.toString()) as readonly string[]));
  }
  assert.equal(verdicts.length, chains.length);
  return verdicts;
}

function base64(der: Uint8Array): string {
  return Buffer.from(der).toString("base64");
}
