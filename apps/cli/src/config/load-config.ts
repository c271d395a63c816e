import { readFileSync, statSync } from "node:fs";
import { nearest } from "@bonafide/agent/selector-kinds";
import { BonafideError } from "@bonafide/errors";
import { parseDocument } from "yaml";
import type { z } from "zod";
import { CLI_ERRORS } from "../errors.ts";

/** Largest configuration file, bytes. */
const CONFIG_BYTES_MAX = 1_048_576;

/**
 * Reads a YAML file, lays the flags over it, and judges the whole by one schema.
 *
 * @param file   Path of the file; none: flags only.
 * @param flags  Values by key; undefined ones are not given.
 * @throws CONFIG_UNREADABLE  the file is missing, too large or not YAML
 * @throws CONFIG_INVALID     unknown keys (naming the nearest known one) or wrong values, all of them at once
 */
export function loadConfig<S extends z.ZodObject>(
  schema: S,
  file: string | undefined,
  flags: Readonly<Record<string, unknown>>,
): z.infer<S> {
  const document = file === undefined ? {} : readYaml(file);
  for (const [key, value] of Object.entries(flags)) {
    if (value !== undefined) document[key] = value;
  }
  const result = schema.safeParse(document);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => describe(issue, schema));
  throw new BonafideError(
    CLI_ERRORS,
    "CONFIG_INVALID",
    `${file ?? "the command line"}: ${problems.join("; ")}`,
  );
}

function readYaml(file: string): Record<string, unknown> {
  let text: string;
  try {
    if (statSync(file).size > CONFIG_BYTES_MAX) throw new Error("it is larger than 1 MiB");
    text = readFileSync(file, "utf8");
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BonafideError(CLI_ERRORS, "CONFIG_UNREADABLE", `cannot read ${file}: ${why}`, {
      cause,
    });
  }
  const document = parseDocument(text, { uniqueKeys: true, strict: true });
  const [problem] = document.errors;
  if (problem !== undefined) {
    throw new BonafideError(CLI_ERRORS, "CONFIG_UNREADABLE", `${file}: ${problem.message}`);
  }
  // An alias bomb is refused by the parser's own limit.
  const value: unknown = document.toJS({ maxAliasCount: 100 }) ?? {};
  if (!isMap(value)) {
    throw new BonafideError(CLI_ERRORS, "CONFIG_UNREADABLE", `${file}: the top level is no map`);
  }
  return value;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function describe(issue: z.core.$ZodIssue, schema: z.ZodObject): string {
  const where = issue.path.map(String).join(".");
  if (issue.code === "invalid_type" && issue.message.endsWith("received undefined")) {
    return `${where} is missing`;
  }
  if (issue.code !== "unrecognized_keys") {
    return where === "" ? issue.message : `${where}: ${issue.message}`;
  }
  const known = knownKeys(schema, issue.path);
  return issue.keys
    .map((key) => {
      const near = nearest(key, known);
      const full = where === "" ? key : `${where}.${key}`;
      return `${full} is no known key${near === undefined ? "" : `, did you mean ${near}?`}`;
    })
    .join("; ");
}

function knownKeys(schema: z.ZodObject, path: readonly PropertyKey[]): readonly string[] {
  let current: unknown = schema;
  for (const key of path) current = unwrap(shapeOf(current)?.[String(key)]);
  return Object.keys(shapeOf(current) ?? {});
}

function unwrap(schema: unknown): unknown {
  for (let current = schema; ;) {
    if (!isMap(current) || !isMap(current["def"]) || current["def"]["innerType"] === undefined) {
      return current;
    }
    current = current["def"]["innerType"];
  }
}

function shapeOf(schema: unknown): Record<string, unknown> | undefined {
  if (!isMap(schema) || !isMap(schema["def"])) return undefined;
  const shape = schema["def"]["shape"];
  return isMap(shape) ? shape : undefined;
}
