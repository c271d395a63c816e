import { execFile } from "node:child_process";
import { chmodSync, cpSync, globSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { CODE_CACHE, Plane } from "../../suites/faults/plane.ts";

/** What `dump.json` says of the folders beside it. */
export interface Dump {
  /** The version that wrote the data. */
  readonly version: string;
  /** Epoch ms at which its server was stopped. */
  readonly madeAtMs: number;
  /** `ledger verify` said so then. */
  readonly head: { readonly epoch: number; readonly n: number; readonly root: string };
  /** Every leaf, first to last. */
  readonly leaves: readonly DumpedLeaf[];
  /** The agent whose folder lies beside, and two that were shut out. */
  readonly agents: { readonly live: string; readonly banned: string; readonly evicted: string };
  /** A join token that nobody has spent; worth nothing outside of the copies of this store. */
  readonly unspentToken: string;
  /** The folders, each relative: `server`, `agent`. */
  readonly folders: readonly string[];
}

/** What must be said of a leaf for ever. */
export interface DumpedLeaf {
  readonly n: number;
  readonly kind: string;
  /** The object's name within its kind. */
  readonly naturalKey: string;
  readonly tombstone: boolean;
  /** Hexadecimal. */
  readonly leafHash: string;
}

/** The command line as published, on a wall clock that `SHIFT_MS` moves. */
export const SHIFTED_CLI: string = fileURLToPath(
  import.meta.resolve("../../suites/faults/entries/shifted.ts"),
);

/** A dump as it is checked in. */
export interface CheckedIn {
  readonly name: string;
  readonly folder: string;
  readonly dump: Dump;
}

/** All dumps of this repository, oldest version first. */
export function readDumps(): readonly CheckedIn[] {
  return globSync(join(import.meta.dirname, "store-*", "dump.json"))
    .map((file) => {
      const folder = join(file, "..");
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by make-dump.ts
      const dump = JSON.parse(readFileSync(file, "utf8")) as Dump;
      return { name: basename(folder), folder, dump };
    })
    .toSorted((a, b) => a.dump.madeAtMs - b.dump.madeAtMs);
}

/** Copies a dump into a plane, private as the originals were: a repository keeps no modes. */
export function plantDump({ folder, dump }: CheckedIn, plane: Plane): void {
  for (const name of dump.folders) {
    const to = plane.path(name);
    cpSync(join(folder, name), to, { recursive: true });
    for (const path of [to, ...globSync(join(to, "**"))]) {
      chmodSync(path, statSync(path).isDirectory() ? 0o700 : 0o600);
    }
  }
}

/** A plane's server by the command line, each command at one wall clock. */
export class Console {
  readonly #plane: Plane;
  readonly #shiftMs: number;

  /** @param shiftMs  Added to the wall clock of every command. */
  constructor(plane: Plane, shiftMs: number) {
    this.#plane = plane;
    this.#shiftMs = shiftMs;
  }

  /** Runs a command of the server's socket. @returns the objects it printed, one a line */
  async rows(...words: readonly string[]): Promise<readonly unknown[]> {
    const text = await this.run(...words, "--json", "--socket", this.#plane.path("sa", "s"));
    return text
      .split("\n")
      .filter((line) => line.trim() !== "")
      .map((line): unknown => JSON.parse(line));
  }

  /** Runs a command of the server's socket that prints one object. */
  async row<T extends object>(...words: readonly string[]): Promise<T> {
    const [row] = await this.rows(...words);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the caller asserts what it reads
    return row as T;
  }

  /** All leaves, as `ledger log` tells them. */
  async leaves(): Promise<readonly DumpedLeaf[]> {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- compared field by field
    const leaves = (await this.rows("ledger", "log")) as readonly DumpedLeaf[];
    return leaves.map(({ n, kind, naturalKey, tombstone, leafHash }) => ({
      n,
      kind,
      naturalKey,
      tombstone,
      leafHash,
    }));
  }

  /** Runs a command. @returns standard output @throws when its exit code is not 0 */
  async run(...words: readonly string[]): Promise<string> {
    const env = {
      PATH: process.env["PATH"],
      SHIFT_MS: String(this.#shiftMs),
      // A test runs a dozen commands: without it, most of its time goes into reading their code again.
      NODE_COMPILE_CACHE: CODE_CACHE,
    };
    const args = ["--disable-sigusr1", SHIFTED_CLI, ...words];
    const { stdout } = await promisify(execFile)(process.execPath, args, { env });
    return stdout;
  }
}
