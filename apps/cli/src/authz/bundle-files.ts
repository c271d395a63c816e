import { lstatSync, readFileSync } from "node:fs";
import { parsePolicyKeys, PolicyTrust } from "@bonafide/authz";
import { BonafideError } from "@bonafide/errors";
import { CLI_ERRORS } from "../errors.ts";
import { openFreshFile } from "../process/fresh-file.ts";
import { readText } from "./read-files.ts";

/** Longest bundle that is read; the library has the same limit. */
const BUNDLE_BYTES_MAX = 64 * 1024 * 1024;

/** Flags that say whose signatures count. */
export const TRUST_FLAGS = {
  trust: {
    kind: "string",
    help: "public policy keys as PEM, one or several in one file",
    placeholder: "FILE",
    required: true,
  },
  threshold: {
    kind: "integer",
    help: "how many of these keys must have signed",
    placeholder: "K",
    standard: "1",
  },
} as const;

/** The trust that flags name. @throws FILE_UNREADABLE, POLICY_KEY_INVALID */
export async function trustOf(flags: {
  readonly trust: string;
  readonly threshold: number | undefined;
}): Promise<PolicyTrust> {
  const keys = await parsePolicyKeys(readText(flags.trust));
  return PolicyTrust.of({ keys, threshold: flags.threshold ?? 1 });
}

/** Reads a bundle file. @throws FILE_UNREADABLE */
export function readBundle(file: string): Uint8Array {
  try {
    const { size } = lstatSync(file);
    if (size <= BUNDLE_BYTES_MAX) return readFileSync(file);
  } catch (cause) {
    throw new BonafideError(CLI_ERRORS, "FILE_UNREADABLE", `cannot read ${file}`, { cause });
  }
  throw new BonafideError(CLI_ERRORS, "FILE_UNREADABLE", `${file} is too large for a bundle`);
}

/** Puts a bundle in its place, whole or not at all. @throws OUTPUT_UNWRITABLE */
export function writeBundle(file: string, bytes: Uint8Array): void {
  using fresh = openFreshFile(file, 0o644);
  // All of a bundle is text.
  fresh.write(new TextDecoder().decode(bytes));
  fresh.finish();
}

/** An instant as people read it. */
export function instantText(ms: number): string {
  return new Date(ms).toISOString().replace(/\.000Z$/, "Z");
}
