import { compareSlices } from "./testing/compare-slices.ts";

// Four files of 25,000 requests, for a file has two minutes and the runner has as many turns as the machine has cores.
compareSlices({ seed: 20_261_122 + 2 * 100_000_000, slices: 5, requestsPerSlice: 5000 });
