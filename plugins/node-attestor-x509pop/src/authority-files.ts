import { readFile, stat } from "node:fs/promises";
import { BonafideError } from "@bonafide/errors";
import type { Log } from "@bonafide/lifetime";
import { type Certificate, parseCertificatesPem } from "@bonafide/pki";
import { NODE_ATTESTOR_ERRORS } from "@bonafide/plugin-api";
import { FILE_BYTES_MAX } from "./limits.ts";

/** Authorities that are read from files, as of now. */
export interface AuthorityFiles {
  /** Reads files that changed again. One that cannot be read leaves the last good ones in force, and the log says so. */
  current(): Promise<readonly Certificate[]>;
}

/**
 * Reads PEM files of authorities.
 *
 * @throws NODE_ATTESTOR_MISCONFIGURED  one cannot be read, or has no authority
 */
export async function openAuthorityFiles(
  paths: readonly string[],
  { log }: { readonly log: Log },
): Promise<AuthorityFiles> {
  if (paths.length === 0) throw misconfigured("no file of authorities was named");
  let held = await readAll(paths);
  let failing: string | undefined;
  return {
    async current() {
      try {
        const marks = await marksOf(paths);
        if (marks !== held.marks) {
          held = await readAll(paths);
          log({ level: "info", event: "x509pop.authorities_read", fields: { files: [...paths] } });
        }
        failing = undefined;
      } catch (error) {
        const reason = error instanceof Error ? error.message : "unknown";
        if (reason !== failing) {
          log({ level: "error", event: "x509pop.authorities_unreadable", error });
        }
        failing = reason;
      }
      return held.certificates;
    },
  };
}

interface Held {
  /** What the files looked like before they were read: one that changes meanwhile is read again. */
  readonly marks: string;
  readonly certificates: readonly Certificate[];
}

async function readAll(paths: readonly string[]): Promise<Held> {
  const marks = await marksOf(paths);
  const certificates: Certificate[] = [];
  for (const path of paths) certificates.push(...(await readOne(path)));
  return { marks, certificates };
}

async function readOne(path: string): Promise<readonly Certificate[]> {
  let certificates: readonly Certificate[];
  try {
    certificates = parseCertificatesPem(await readFile(path, "latin1"));
  } catch (cause) {
    throw misconfigured(`${path}: ${cause instanceof Error ? cause.message : "unreadable"}`, cause);
  }
  const other = certificates.find(({ isAuthority }) => !isAuthority);
  if (other !== undefined) {
    throw misconfigured(`${path}: certificate ${other.serialText} is no authority`);
  }
  return certificates;
}

async function marksOf(paths: readonly string[]): Promise<string> {
  const marks = paths.map(async (path) => {
    try {
      const { ino, size, mtimeMs, ctimeMs } = await stat(path);
      if (size > FILE_BYTES_MAX) throw misconfigured(`${path}: larger than ${FILE_BYTES_MAX}`);
      return [ino, size, mtimeMs, ctimeMs].join(":");
    } catch (cause) {
      if (cause instanceof BonafideError) throw cause;
      throw misconfigured(`${path}: ${cause instanceof Error ? cause.message : "?"}`, cause);
    }
  });
  return (await Promise.all(marks)).join("|");
}

function misconfigured(message: string, cause?: unknown): BonafideError {
  return new BonafideError(NODE_ATTESTOR_ERRORS, "NODE_ATTESTOR_MISCONFIGURED", message, { cause });
}
