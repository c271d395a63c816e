import { globSync, readFileSync } from "node:fs";
import process from "node:process";
import { reportCheck } from "./report.ts";

// The lock file: licences, install scripts, exact versions, and no registry's host.

const ALLOWED = new Set([
  "0BSD",
  "Apache-2.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "BlueOak-1.0.0",
  "CC0-1.0",
  "ISC",
  "MIT",
  "Python-2.0",
  "Unlicense",
]);
/** Packages whose licence field cannot be judged by the list, each with what a person found. */
const EXCEPTIONS: Readonly<Record<string, string>> = {};

interface LockedPackage {
  readonly version?: string;
  readonly license?: unknown;
  readonly link?: boolean;
  readonly resolved?: string;
  readonly hasInstallScript?: boolean;
}
interface Manifest {
  readonly license?: unknown;
  readonly allowScripts?: Readonly<Record<string, boolean>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const problems: string[] = [];
const text = readFileSync("package-lock.json", "utf8");
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- npm's format, version 3
const lock = JSON.parse(text) as { packages: Readonly<Record<string, LockedPackage>> };
const root = readManifest("package.json");
const allowScripts = root.allowScripts ?? {};
const used = new Set<string>();
let packages = 0;
for (const [path, locked] of Object.entries(lock.packages)) {
  const at = path.lastIndexOf("node_modules/");
  if (at === -1 || locked.link === true) continue;
  packages++;
  const name = path.slice(at + "node_modules/".length);
  if (name in EXCEPTIONS) used.add(name);
  else {
    const licence = locked.license ?? installedLicence(path);
    if (typeof licence !== "string") problems.push(`${name}: states no licence`);
    else if (!isAllowed(licence)) problems.push(`${name}: licence ${licence} is not allowed`);
  }
  if (locked.hasInstallScript === true && allowScripts[name] !== false) {
    problems.push(`${name}: has an install script; deny it in allowScripts`);
  }
}
for (const name of Object.keys(EXCEPTIONS)) {
  if (!used.has(name)) problems.push(`${name}: exception for a package that is not locked`);
}
for (const [name, allowed] of Object.entries(allowScripts)) {
  if (allowed) problems.push(`${name}: its install script is allowed`);
}
for (const [, host] of text.matchAll(/"https?:\/\/([^/"]+)[^"]*"/g)) {
  if (/registry|artifact|mirror|proxy|:\d/.test(host ?? "")) {
    problems.push(`package-lock.json names the host ${host ?? ""}`);
  }
}
for (const [path, { resolved }] of Object.entries(lock.packages)) {
  if (resolved !== undefined && /^[a-z+]+:\/\//.test(resolved)) {
    problems.push(`${path}: resolved names a host`);
  }
}
let manifests = 0;
for (const path of ["package.json", ...globSync("{packages,plugins,apps}/*/package.json")]) {
  manifests++;
  const { dependencies, devDependencies, optionalDependencies } = readManifest(path);
  const wanted = { ...dependencies, ...devDependencies, ...optionalDependencies };
  for (const [name, version] of Object.entries(wanted)) {
    // Also under another name, so that two versions of one package can be tested side by side.
    if (!/^(?:npm:(?:@[\w.-]+\/)?[\w.-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) {
      problems.push(`${path}: ${name} ${version} is not an exact version`);
    }
  }
}
reportCheck("lock", { packages, manifests }, problems);

/** Judges an SPDX expression: all parts of an AND, or one part of an OR; a mixture needs a person. */
function isAllowed(expression: string): boolean {
  const bare = expression.replaceAll(/[()]/g, " ").trim();
  if (bare.includes(" AND ")) return bare.split(/\s+AND\s+/).every((part) => ALLOWED.has(part));
  return bare.split(/\s+OR\s+/).some((part) => ALLOWED.has(part));
}

function installedLicence(path: string): unknown {
  try {
    return readManifest(`${path}/package.json`).license;
  } catch {
    return undefined;
  }
}

function readManifest(path: string): Manifest {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- npm's own format
    return JSON.parse(readFileSync(path, "utf8")) as Manifest;
  } catch (error) {
    if (path !== "package.json") throw error;
    process.stderr.write("package.json cannot be read\n");
    return {};
  }
}
