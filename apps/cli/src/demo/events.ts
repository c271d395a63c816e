import { writeSync } from "node:fs";

/** What a demo workload tells `up`, one JSON object a line on standard output. */
export type DemoEvent =
  | { readonly event: "serving"; readonly grpc: number; readonly https: number }
  /** The greeter was called. */
  | { readonly event: "called"; readonly over: Way; readonly caller: string }
  /** The visitor got an answer. */
  | { readonly event: "answered"; readonly over: Way; readonly text: string }
  /** A call of the visitor failed. */
  | { readonly event: "failed"; readonly over: Way; readonly code: string; readonly text: string }
  /** The workload has an SVID, the first or a new one. */
  | { readonly event: "identity"; readonly id: string; readonly expiresAtMs: number }
  /** The agent gave no identity. */
  | { readonly event: "refused"; readonly code: string; readonly decision: string };

/** How the visitor reached the greeter. */
export type Way = "gRPC" | "HTTPS";

/** Writes one event. Synchronous: a workload that is killed has told what it did. */
export function tell(event: DemoEvent): void {
  writeSync(1, `${JSON.stringify(event)}\n`);
}

/** Reads a line that {@link tell} wrote; undefined for any other line. */
export function parseDemoEvent(line: string): DemoEvent | undefined {
  if (!line.startsWith('{"event":')) return undefined;
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by our own program, for show only
    return JSON.parse(line) as DemoEvent;
  } catch {
    return undefined;
  }
}
