import { Buffer } from "node:buffer";
import { closeSync, lstatSync, opendirSync, openSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import { StringDecoder } from "node:string_decoder";
import { BonafideError } from "@bonafide/errors";
import { CLI_ERRORS } from "../errors.ts";

/** Longest file that is read; the library says what is too long, this only bounds the memory. */
const FILE_BYTES_MAX = 16 * 1024 * 1024;
/** Most files; the library has its own limit below it. */
const FILES_MAX = 50_000;
/** What may lie beside a model and is no part of it. */
const BESIDE: ReadonlySet<string> = new Set(["CODEOWNERS", "README.md"]);

/** Whether a path, relative to the folder, is of the access model. Hidden files, and two at the top, are not. */
export function isModelFile(path: string): boolean {
  return !BESIDE.has(path) && !path.split("/").some((part) => part.startsWith("."));
}

/**
 * Reads the files of an access model, by path relative to its folder, with slashes.
 *
 * @throws FILE_UNREADABLE  no such folder, a link or anything else that is neither file nor folder, or far too much
 */
export function readFiles(folder: string): Map<string, string> {
  const files = new Map<string, string>();
  const todo = [""];
  for (let inside = todo.pop(); inside !== undefined; inside = todo.pop()) {
    for (const name of namesIn(join(folder, inside))) {
      const path = inside === "" ? name : `${inside}/${name}`;
      if (!isModelFile(path)) continue;
      const full = join(folder, path);
      const found = lstatSync(full);
      if (found.isDirectory()) todo.push(path);
      else if (!found.isFile()) throw unreadable(`${full} is neither a file nor a folder`);
      else if (found.size > FILE_BYTES_MAX || files.size >= FILES_MAX) {
        throw unreadable(`${full} is too much to read`);
      } else files.set(path, readFileSync(full, "utf8"));
    }
  }
  return files;
}

function namesIn(folder: string): readonly string[] {
  const names: string[] = [];
  try {
    using entries = opendirSync(folder);
    for (let entry = entries.readSync(); entry !== null; entry = entries.readSync()) {
      names.push(entry.name);
    }
  } catch (cause) {
    throw unreadable(`cannot read the folder ${folder}`, cause);
  }
  return names.toSorted();
}

function unreadable(message: string, cause?: unknown): BonafideError {
  return new BonafideError(CLI_ERRORS, "FILE_UNREADABLE", message, { cause });
}

/** Reads one file that a flag names. @throws FILE_UNREADABLE */
export function readText(file: string): string {
  try {
    if (lstatSync(file).size <= FILE_BYTES_MAX) return readFileSync(file, "utf8");
  } catch (cause) {
    throw unreadable(`cannot read ${file}`, cause);
  }
  throw unreadable(`${file} is too much to read`);
}

/** Reads the lines of a file of any length, one by one. @throws FILE_UNREADABLE  also at a line beyond 16 MiB */
export function* readLines(file: string): Iterable<string> {
  let fd: number;
  try {
    fd = openSync(file, "r");
  } catch (cause) {
    throw unreadable(`cannot read ${file}`, cause);
  }
  try {
    const [chunk, decoder] = [Buffer.alloc(1 << 16), new StringDecoder("utf8")];
    let rest = "";
    for (let size = readSync(fd, chunk); size > 0; size = readSync(fd, chunk)) {
      const lines = (rest + decoder.write(chunk.subarray(0, size))).split("\n");
      rest = lines.pop() ?? "";
      if (rest.length > FILE_BYTES_MAX) throw unreadable(`${file} has a line that never ends`);
      yield* lines;
    }
    yield rest + decoder.end();
  } finally {
    closeSync(fd);
  }
}
