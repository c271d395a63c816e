// @bonafide/lifetime

export interface AnsweredCall {
    readonly service: string;
    readonly method: string;
    readonly status: string;
    readonly durationMs: number;
}

export interface BackoffOptions {
    readonly firstMs?: number;
    readonly maxMs?: number;
    readonly factor?: number;
}

export interface Clock {
    now(): EpochMs;
    monotonicMs(): number;
    sleep(ms: number, options?: {
        readonly signal?: AbortSignal;
        readonly unref?: boolean;
    }): Promise<void>;
}

export type EpochMs = number;

export interface EveryOptions {
    readonly clock: Clock;
    readonly ms: number;
    readonly failed: (error: unknown) => void;
}

export declare class Latest<T> {
    #private;
    constructor(initial: T);
    get value(): T;
    get closed(): boolean;
    set(value: T): void;
    close(): void;
    updates(options?: {
        readonly signal?: AbortSignal;
    }): AsyncGenerator<T, void, void>;
}

export type Log = (event: LogEvent) => void;

export interface LogEvent {
    readonly level: LogLevel;
    readonly event: string;
    readonly fields?: Readonly<Record<string, LogValue>>;
    readonly error?: unknown;
}

export type LogLevel = "debug" | "info" | "warn" | "error";

export interface LogLevelSwitch {
    readonly launched: LogLevel;
    readonly current: LogLevel;
    set(level: LogLevel): void;
}

export type LogValue = string | number | boolean | readonly string[] | undefined;

export interface Random {
    fraction(): number;
}

export interface RateLimit {
    readonly perSecond: number;
    readonly burst: number;
}

export type Taking = {
    readonly kind: "taken";
    readonly bucket: TokenBucket;
} | {
    readonly kind: "wait";
    readonly retryAfterMs: number;
} | {
    readonly kind: "never";
};

export type Task = (signal: AbortSignal) => Promise<void>;

export interface TokenBucket {
    readonly units: number;
    readonly atMs: number;
}

export declare function backoffMs(failures: number, fraction: number, options?: BackoffOptions): number;

export declare function every({ clock, ms, failed }: EveryOptions, turn: (signal: AbortSignal) => Promise<void> | void, signal: AbortSignal): Promise<void>;

export declare function runTasks(signal: AbortSignal, tasks: readonly Task[]): Promise<void>;

export declare const silentLog: Log;

export declare function slept(clock: Clock, ms: number, signal: AbortSignal, { keepAlive }?: {
    readonly keepAlive?: boolean;
}): Promise<boolean>;

export declare const systemClock: Clock;

export declare const systemRandom: Random;

export declare function takeUnits(bucket: TokenBucket | undefined, limit: RateLimit, units: number, nowMs: number): Taking;

export declare function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T>;

export declare function whenAborted(signal: AbortSignal): Promise<void>;

// @bonafide/lifetime/testing

export declare class ManualClock implements Clock {
    #private;
    constructor(now?: EpochMs);
    now(): EpochMs;
    monotonicMs(): number;
    get sleepers(): number;
    sleep(ms: number, options?: {
        readonly signal?: AbortSignal;
    }): Promise<void>;
    advance(ms: number): Promise<void>;
    jump(ms: number): void;
}

export declare function shiftedClock(clock: Clock, ms: number): Clock;
