import { openMemoryUpstream } from "./memory-upstream-authority.ts";
import { upstreamAuthorityContract } from "./upstream-authority-contract.ts";

upstreamAuthorityContract("memory (test)", () => {
  const now = Date.now();
  const upstream = openMemoryUpstream("example.org", () => now);
  return Promise.resolve({
    upstream,
    trustDomain: "example.org",
    now,
    [Symbol.asyncDispose]: () => upstream.close(),
  });
});
