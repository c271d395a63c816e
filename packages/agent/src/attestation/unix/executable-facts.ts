import { constants } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import type { WorkloadCaller, WorkloadFacts } from "@bonafide/plugin-api";
import { errnoOf } from "../caller-facts.ts";
import { namespaceOf, type OwnNamespaces } from "../namespaces.ts";
import { missing, found, together } from "./facts.ts";
import type { DigestOptions, FileDigests } from "./file-digests.ts";

/** Options of {@link executableFacts}. */
export interface ExecutableOptions {
  /** False switches `path` and `sha256` off. */
  readonly path: boolean;
  /** Whether any entry asks for `unix:sha256`; without it no file is read. */
  readonly wantsSha256: () => boolean;
}

const BOTH = ["path", "sha256"] as const;
const DELETED = " (deleted)";

/**
 * `path` and `sha256` of the executable, labels both: they say which file was executed, not what runs in it. Only for
 * callers in the agent's own mount and user namespace, where a path means what it says.
 */
export async function executableFacts(
  caller: WorkloadCaller,
  own: OwnNamespaces,
  digests: FileDigests,
  options: ExecutableOptions,
  signal: AbortSignal,
): Promise<WorkloadFacts> {
  if (!options.path) return none("attestor.selector_disabled", "unix.path is off in the agent");
  for (const kind of ["mnt", "user"] as const) {
    const where = namespaceOf(caller.facts, own, kind);
    if (where === "unreadable") {
      return none("attestor.not_readable", `the agent may not read /proc/${caller.pid}/ns/${kind}`);
    }
    if (where === "other") {
      return none("attestor.foreign_namespace", `the process is in another ${kind} namespace`);
    }
  }
  const link = caller.facts.executableLink;
  const exe = caller.procPath("exe");
  if (link.kind === "unreadable" || exe === undefined) {
    const errno = link.kind === "unreadable" ? link.errno : "ENOENT";
    return none("attestor.not_readable", `/proc/${caller.pid}/exe cannot be read: ${errno}`);
  }
  const wanted = options.wantsSha256();
  try {
    await using file = wanted ? await openExecutable(exe) : undefined;
    const path = await pathFacts(link.value, exe);
    const sha256 =
      file === undefined
        ? missing("sha256", "attestor.not_wanted", "no entry of this agent asks for a digest")
        : await digestFacts(file, digests, { uid: caller.uid, signal });
    return together([path, sha256]);
  } catch (error) {
    return none(
      "attestor.not_readable",
      `/proc/${caller.pid}/exe cannot be read: ${errnoOf(error)}`,
    );
  }
}

/** O_NONBLOCK: whatever the file is, opening it does not wait. */
function openExecutable(exe: string): Promise<FileHandle> {
  return open(exe, constants.O_RDONLY | constants.O_NONBLOCK);
}

async function pathFacts(link: string, exe: string): Promise<WorkloadFacts> {
  // A file may really be called "x (deleted)"; only the inode tells.
  if (link.endsWith(DELETED) && !(await isSameFile(link, exe))) {
    return missing(
      "path",
      "attestor.binary_replaced",
      `the file was replaced or removed since it was started: ${link.slice(0, -DELETED.length)}`,
    );
  }
  const bytes = Buffer.from(link, "latin1");
  const text = bytes.toString("utf8");
  return Buffer.from(text, "utf8").equals(bytes) && text.startsWith("/")
    ? found("path", text, "/proc/PID/exe")
    : missing("path", "attestor.unsupported", "the path is not UTF-8, or cannot be reached");
}

async function isSameFile(link: string, exe: string): Promise<boolean> {
  try {
    const [named, run] = await Promise.all([
      stat(Buffer.from(link, "latin1"), { bigint: true }),
      stat(exe, { bigint: true }),
    ]);
    return named.dev === run.dev && named.ino === run.ino;
  } catch {
    // No file of that name, most likely: then it was not its name.
    return false;
  }
}

async function digestFacts(
  file: FileHandle,
  digests: FileDigests,
  options: DigestOptions,
): Promise<WorkloadFacts> {
  const answer = await digests.sha256(file, options);
  if (answer.kind === "digest") return found("sha256", answer.hex, "/proc/PID/exe");
  const [reason, text] = NO_DIGEST[answer.kind];
  return missing("sha256", reason, text);
}

const NO_DIGEST = {
  "too-large": ["attestor.too_large", "the executable is too large to be hashed"],
  "not-ready": ["attestor.timed_out", "the digest was not ready in time"],
  unreadable: ["attestor.not_readable", "the executable cannot be read"],
} as const;

function none(reason: Parameters<typeof missing>[1], text: string): WorkloadFacts {
  return together(BOTH.map((kind) => missing(kind, reason, text)));
}
