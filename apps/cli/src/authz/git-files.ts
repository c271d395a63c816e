import type { Buffer } from "node:buffer";
import { execFile } from "node:child_process";
import { realpathSync } from "node:fs";
import { relative } from "node:path";
import { BonafideError } from "@bonafide/errors";
import { CLI_ERRORS } from "../errors.ts";
import { isModelFile } from "./read-files.ts";

/** All that git may answer at once; a model has at most 20,000 files of 4 MiB, and never nearly that. */
const ANSWER_BYTES_MAX = 256 * 1024 * 1024;
const TIMEOUT_MS = 60_000;

/**
 * What a repository's own configuration could make git run is switched off: we read objects and nothing else. A file
 * that git fetches only when it is looked at is not fetched.
 */
const QUIET = [
  "--no-pager",
  "--no-replace-objects",
  "--literal-pathspecs",
  "-c",
  "core.fsmonitor=false",
  "-c",
  "core.hooksPath=/dev/null",
  "-c",
  "protocol.allow=never",
];

const GIT_ENVIRONMENT = {
  LC_ALL: "C",
  GIT_OPTIONAL_LOCKS: "0",
  GIT_NO_LAZY_FETCH: "1",
  GIT_TERMINAL_PROMPT: "0",
  // Unlike protocol.allow, a repository's protocol.ext.allow does not override it.
  GIT_ALLOW_PROTOCOL: "none",
} as const;

/** What git is run with. */
export interface GitOptions {
  readonly signal: AbortSignal;
  /** `PATH` and `HOME` are taken from it. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A revision of a folder. */
export interface Revision {
  /** The full name of the commit. */
  readonly commit: string;
  /** By path relative to the folder; none if the folder was not there. */
  readonly files: ReadonlyMap<string, string>;
}

/**
 * Reads a folder as it was at a revision of the repository that it lies in. Nothing is checked out and no shell is used.
 *
 * @param revision  As git writes it: `main`, `HEAD~1`, a hash.
 * @throws GIT_UNREADABLE  no repository, no such revision, a link in the folder, or git is not there
 */
export async function readRevision(
  folder: string,
  revision: string,
  { signal, env }: GitOptions,
): Promise<Revision> {
  const git = (args: readonly string[], input = ""): Promise<Buffer> =>
    runGit(folder, args, { input, signal, env });
  const top = text(await git(["rev-parse", "--show-toplevel"])).trimEnd();
  const inside = relative(realpathSync(top), realpathSync(folder));
  const named = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${revision}^{commit}`];
  const commit = text(await git(named)).trimEnd();
  const under = inside === "" ? [] : ["--", inside];
  const listing = text(await git(["ls-tree", "-r", "-z", "--full-tree", commit, ...under]));
  const blobs = new Map<string, string>();
  for (const line of listing.split("\0")) {
    const [, mode, hash, path = ""] = /^(\d+) \S+ ([0-9a-f]+)\t(.*)$/s.exec(line) ?? [];
    const own = inside === "" ? path : path.slice(inside.length + 1);
    if (mode === undefined || hash === undefined || !isModelFile(own)) continue;
    // Neither links nor other repositories: what is read is what is reviewed.
    if (!mode.startsWith("100")) throw unreadable(`${path} is no plain file in ${revision}`);
    blobs.set(own, hash);
  }
  const wanted = [...blobs.values()].map((hash) => `${hash}\n`).join("");
  const answer = await git(["cat-file", "--batch"], wanted);
  return { commit, files: readBatch([...blobs.keys()], answer) };
}

/** Takes `HASH TYPE SIZE\n CONTENT \n` apart, one for each path. */
function readBatch(paths: readonly string[], answer: Buffer): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  let at = 0;
  for (const path of paths) {
    const end = answer.indexOf(10, at);
    const [, size] = /^[0-9a-f]+ blob (\d+)$/.exec(text(answer.subarray(at, end))) ?? [];
    if (end === -1 || size === undefined) throw unreadable(`git has no ${path}`);
    files.set(path, text(answer.subarray(end + 1, end + 1 + Number(size))));
    at = end + 1 + Number(size) + 1;
  }
  return files;
}

function runGit(
  folder: string,
  args: readonly string[],
  { input, signal, env }: GitOptions & { readonly input: string },
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      "git",
      ["-C", folder, ...QUIET, ...args],
      {
        encoding: "buffer",
        maxBuffer: ANSWER_BYTES_MAX,
        timeout: TIMEOUT_MS,
        signal,
        // Nothing that points git elsewhere, such as GIT_DIR; its user's own settings stay, safe.directory among them.
        env: { PATH: env["PATH"], HOME: env["HOME"], ...GIT_ENVIRONMENT },
      },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(unreadable(failureText(args, error, text(stderr)), error));
      },
    );
    // A git that ends before it has read everything says why on standard error.
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
  });
}

function failureText(args: readonly string[], error: Error, said: string): string {
  if ("code" in error && error.code === "ENOENT") return "git is not installed, or no such folder";
  const [first = ""] = said.trim().split("\n");
  if (first !== "") return `git: ${first.slice(0, 300)}`;
  return `git knows no revision ${args.at(-1)?.replace("^{commit}", "") ?? ""}`;
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function unreadable(message: string, cause?: unknown): BonafideError {
  return new BonafideError(CLI_ERRORS, "GIT_UNREADABLE", message, { cause });
}
