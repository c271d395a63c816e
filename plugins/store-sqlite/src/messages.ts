import type { Failure } from "./sqlite-failure.ts";
import type { StoreCalls } from "./store-calls.ts";

/** Names of the calls that the worker answers. */
export type CallName = keyof StoreCalls;

/** One call as it goes to the worker. */
export interface Request {
  /** 1 and up. */
  readonly id: number;
  readonly call: CallName;
  readonly args: readonly unknown[];
}

/** The worker's answer; id 0 says that the file is open, or why not. */
export type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly failure: Failure };
