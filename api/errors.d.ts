// @bonafide/errors

export declare class BonafideError<Code extends string = string> extends Error {
    readonly name = "BonafideError";
    readonly code: Code;
    readonly status: StatusName;
    readonly retry: boolean;
    readonly details: Readonly<Record<string, string>>;
    readonly retryAfterMs: number | undefined;
    constructor(table: Readonly<Record<Code, ErrorSpec>>, code: Code, message: string, options?: BonafideErrorOptions);
}

export interface BonafideErrorOptions {
    readonly cause?: unknown;
    readonly details?: Readonly<Record<string, string>>;
    readonly retryAfterMs?: number;
}

export interface ErrorSpec {
    readonly status: StatusName;
    readonly retry: boolean;
}

export type ErrorTable = Readonly<Record<string, ErrorSpec>>;

export type StatusName = "cancelled" | "unknown" | "invalid_argument" | "deadline_exceeded" | "not_found" | "already_exists" | "permission_denied" | "resource_exhausted" | "failed_precondition" | "aborted" | "out_of_range" | "unimplemented" | "internal" | "unavailable" | "data_loss" | "unauthenticated";

export declare function isBonafideError(error: unknown, code?: string): error is BonafideError;
