import { parseSpiffeId, type SpiffeId } from "../id/spiffe-id.ts";

/** The ID `spiffe://example.org` plus a path, for tests. */
export function exampleId(path: string): SpiffeId {
  return parseSpiffeId(`spiffe://example.org${path}`);
}
export {
  type FakeCall,
  type FakeIdentities,
  type FakeTokens,
  FakeWorkloadApi,
} from "./fake-workload-api.ts";
export { TestSource, TestTrustDomain, type TestTrustDomainOptions } from "./test-trust-domain.ts";
