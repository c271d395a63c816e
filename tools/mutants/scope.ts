/** What is mutated: parsing and verification; the checks of packages/agent are not in the table yet. */
export const MUTATED: {
  readonly patterns: readonly string[];
  readonly excludes: readonly string[];
} = {
  patterns: [
    "packages/pki/src/**/*.ts",
    "packages/spiffe/src/{id,svid,bundle,verify,jwt,tls}/**/*.ts",
    "packages/spiffe/src/workload-api/read-*.ts",
    "packages/unix-peer/src/**/*.ts",
    "packages/ledger/src/**/*.ts",
  ],
  excludes: ["**/*.test.ts", "**/testing/**", "**/gen/**"],
};

/** So many of a list, in an order that a seed decides. */
export function pick<T>(from: readonly T[], count: number, seed: number): readonly T[] {
  let state = seed >>> 0;
  const next = (): number => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b_3c6d) + 0x9e37_79b9) >>> 0;
    return state / 2 ** 32;
  };
  return from
    .map((each) => ({ each, key: next() }))
    .toSorted((a, b) => a.key - b.key)
    .slice(0, count)
    .map(({ each }) => each);
}
