import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A copy of this checkout in a folder of its own, as somebody else would have it. */
export interface Checkout extends Disposable {
  readonly root: string;
  /** A folder beside it to run in. */
  readonly work: string;
}

/**
 * Copies the sources as they are now, and the installed dependencies.
 *
 * @param options.mode  Rights of the folder around it: 0755 for everybody, 0700 for its owner alone.
 */
export function copyCheckout(options: { readonly mode: 0o700 | 0o755 }): Checkout {
  const outer = mkdtempSync(join(tmpdir(), "bonafide-up-"));
  chmodSync(outer, options.mode);
  const root = join(outer, "bonafide");
  const work = join(outer, "work");
  mkdirSync(work);
  const listed = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
  const files = execFileSync("git", listed, { encoding: "utf8" }).split("\0");
  for (const file of files.filter((name) => name !== "" && existsSync(name))) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    cpSync(file, join(root, file));
  }
  // Links are cheap; on another file system half a gigabyte has to be copied.
  try {
    execFileSync("cp", ["-al", "node_modules", root], { stdio: "ignore" });
  } catch {
    rmSync(join(root, "node_modules"), { recursive: true, force: true });
    execFileSync("cp", ["-a", "node_modules", root]);
  }
  execFileSync("cp", ["package-lock.json", "stamp"], { cwd: root });
  rmSync(join(root, "node_modules", ".bonafide-lock"), { force: true });
  execFileSync("mv", ["stamp", "node_modules/.bonafide-lock"], { cwd: root });
  return {
    root,
    work,
    [Symbol.dispose]() {
      rmSync(outer, { recursive: true, force: true });
    },
  };
}
