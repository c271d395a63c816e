import type { LogLevel } from "@bonafide/lifetime";
import { parseTrustDomain, spiffeIdFault } from "@bonafide/spiffe";
import { z } from "zod";
import { parseDurationMs } from "../arguments/duration.ts";

/** A duration as text, `90s`, `15m`, `7d`; becomes milliseconds. */
export function duration(range: { readonly minMs: number; readonly maxMs: number }): DurationField {
  return z
    .string()
    .meta({
      description: "a duration such as 90s, 15m, 1h, 7d",
      pattern: "^([0-9]+(ms|s|m|h|d)?)+$",
    })
    .transform((text, context) => {
      const ms = parseDurationMs(text);
      if (ms !== undefined && ms >= range.minMs && ms <= range.maxMs) return ms;
      context.issues.push({ code: "custom", message: "is no duration in range", input: text });
      return z.NEVER;
    });
}

/** The schema type of {@link duration}. */
export type DurationField = z.ZodPipe<z.ZodString, z.ZodTransform<number, string>>;

/** `host:port`, where the host may be a bracketed IPv6 address. */
export const hostPort: z.ZodString = z
  .string()
  .regex(/^(?:\[[0-9a-fA-F:.]+\]|[^:\s]+):\d{1,5}$/, "is no host:port")
  .refine((text) => Number(text.slice(text.lastIndexOf(":") + 1)) <= 65_535, {
    message: "has no port up to 65535",
  });

/** Where probes and metrics are served, and where they are sent. The same in both files. */
export const operations: {
  readonly health_listen: z.ZodOptional<z.ZodString>;
  readonly metrics_listen: z.ZodOptional<z.ZodString>;
  readonly otlp_endpoint: z.ZodOptional<z.ZodURL>;
  readonly otlp_interval: z.ZodPrefault<DurationField>;
} = {
  health_listen: hostPort
    .optional()
    .describe("address that answers /live and /ready over plain HTTP; default none"),
  metrics_listen: hostPort
    .optional()
    .describe(
      "address that answers /metrics for Prometheus over plain HTTP; may be that of health_listen; default none",
    ),
  otlp_endpoint: z
    .url({ protocol: /^https?$/ })
    .max(2048)
    .optional()
    .describe(
      "where metrics and traces are sent by OTLP over HTTP, such as http://127.0.0.1:4318; default nowhere",
    ),
  otlp_interval: duration({ minMs: 1000, maxMs: 3_600_000 })
    .prefault("60s")
    .describe("how often metrics are sent"),
};

/** Name of a trust domain. */
export const trustDomain: z.ZodString = z
  .string()
  .refine(isTrustDomainName, { message: "is no name of a trust domain, such as example.org" });

function isTrustDomainName(text: string): boolean {
  try {
    return parseTrustDomain(text) === text;
  } catch {
    return false;
  }
}

/** An absolute or relative path; not empty, without NUL. */
export const path: z.ZodString = z
  .string()
  .min(1)
  .max(4096)
  .regex(/^[^\0]+$/, "has a NUL byte");

/** A SPIFFE ID. */
export const spiffeId: z.ZodString = z
  .string()
  .refine((text) => spiffeIdFault(text) === undefined, { message: "is no SPIFFE ID" });

/** 32 bytes in base64, as a public Ed25519 key is written. */
export const rawKey: z.ZodString = z
  .string()
  .regex(/^[A-Za-z0-9+/]{43}=$/, "is no base64 of 32 bytes");

/** How often something may happen: so many a second, and so many at once after a pause. */
export const rate: z.ZodType<Rate, Rate> = z.strictObject({
  per_second: z.number().positive().max(1_000_000),
  burst: z.int().min(1).max(1_000_000),
});

/** Value of {@link rate}. */
export interface Rate {
  readonly per_second: number;
  readonly burst: number;
}

/** Milliseconds of a day. */
export const DAY_MS = 86_400_000;

/** Schema of how much a process writes to its log. */
export const logLevel: z.ZodType<LogLevel> = z.enum(["debug", "info", "warn", "error"]);
