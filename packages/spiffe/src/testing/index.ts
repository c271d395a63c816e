import { parseSpiffeId, type SpiffeId } from "../id/spiffe-id.ts";

/** The ID `spiffe://example.org` plus a path, for tests. */
export function exampleId(path: string): SpiffeId {
  return parseSpiffeId(`spiffe://example.org${path}`);
}
