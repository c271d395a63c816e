import { compareSlices } from "./testing/compare-slices.ts";

// Eight files of 12,500 requests, for a file has two minutes, also on a machine that does much else.
compareSlices({ seed: 20_261_122 + 4 * 100_000_000, slices: 5, requestsPerSlice: 2500 });
