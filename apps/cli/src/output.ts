import { Buffer } from "node:buffer";
import type { Writable } from "node:stream";
import { isBonafideError } from "@bonafide/errors";
import { nextStep } from "./next-step.ts";
import { asCalled } from "./program-name.ts";

/** Where a command's results go: lines for people, or JSON for machines. */
export interface Output {
  readonly json: boolean;
  /** The word that calls this program again. */
  readonly program: string;
  /** One result: `text` for people, `value` as one line of JSON for machines. */
  result(text: string, value: unknown): void;
  /** Text of a form of its own, the same for people and machines: an export. */
  raw(text: string): void;
  /** A result for people that names commands. */
  advice(text: string, value: unknown): void;
  /** A remark that is no result: progress, a warning. For people on standard error, never mixed into results. */
  note(text: string): void;
  /** A failure, with its code and, where one is known, what to do next. */
  failure(error: unknown): void;
}

/** Writes to the given streams. */
export function createOutput(options: {
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly json: boolean;
  readonly program: string;
}): Output {
  const { stdout, stderr, json, program } = options;
  const result = (text: string, value: unknown): void => {
    stdout.write(json ? `${JSON.stringify(value, jsonValue)}\n` : `${visible(text)}\n`);
  };
  return {
    json,
    program,
    result,
    advice(text, value) {
      result(asCalled(program, text), value);
    },
    raw(text) {
      stdout.write(text);
    },
    note(text) {
      stderr.write(`${visible(asCalled(program, text))}\n`);
    },
    failure(error) {
      if (json) {
        stderr.write(`${JSON.stringify({ error: describe(error) })}\n`);
        return;
      }
      const { code, message, next } = describe(error);
      stderr.write(`bonafide: ${visible(asCalled(program, message))} (${code})\n`);
      if (next !== undefined) stderr.write(`  next: ${visible(asCalled(program, next))}\n`);
    },
  };
}

/**
 * What a terminal would act on, or show in another order, as its code point: names and versions come from nodes and from
 * other servers. Lines stay lines.
 */
function visible(text: string): string {
  return text.replaceAll(/(?![\n\t])[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu, codePoint);
}

/** A text from elsewhere as a part of one line: it cannot pass for a line of its own. */
export function oneLine(text: string): string {
  return visible(text).replaceAll(/[\n\t]/g, codePoint);
}

function codePoint(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

/** 64-bit numbers become text, bytes hexadecimal, and the marks of decoded messages go. */
function jsonValue(key: string, value: unknown): unknown {
  if (key === "$typeName") return undefined;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  return typeof value === "bigint" ? value.toString() : value;
}

interface Description {
  readonly code: string;
  readonly message: string;
  readonly next?: string;
  readonly details?: Readonly<Record<string, string>>;
}

function describe(error: unknown): Description {
  if (!isBonafideError(error)) {
    return { code: "INTERNAL", message: error instanceof Error ? error.message : String(error) };
  }
  const { next: own, ...details } = error.details;
  // What a server or an agent of ours answered says more than the status it travelled as.
  const reason = "reason" in error && typeof error.reason === "string" ? error.reason : undefined;
  const code = reason ?? error.code;
  const next = own ?? nextStep(code, details);
  return {
    code,
    message: error.message,
    ...(next === undefined ? {} : { next }),
    ...(Object.keys(details).length === 0 ? {} : { details }),
  };
}

/** Lays rows out in columns, two spaces apart; the last column is not padded. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = rows.map((row) => row.map(oneLine));
  const widths = header.map((name, i) =>
    Math.max(name.length, ...lines.map((row) => row[i]?.length ?? 0)),
  );
  return [header, ...lines]
    .map((row) =>
      row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0))).join("  "),
    )
    .join("\n");
}
