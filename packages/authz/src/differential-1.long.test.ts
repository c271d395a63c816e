import { compareSlices } from "./testing/compare-slices.ts";

// Half of a million requests.
compareSlices({ seed: 1_000_000_000, slices: 50, requestsPerSlice: 10_000 });
