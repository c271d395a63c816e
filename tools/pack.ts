import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import process from "node:process";

interface Manifest {
  exports: Record<string, string | object>;
  [key: string]: unknown;
}

const out = "dist/packages";
rmSync(out, { recursive: true, force: true });
for (const name of ["proto", "pki", "spiffe"]) {
  const from = `packages/${name}`;
  const to = `${out}/${name}`;
  mkdirSync(to, { recursive: true });
  const config = `${from}/tsconfig.build.tmp.json`;
  writeFileSync(
    config,
    JSON.stringify({
      extends: "../../tsconfig.build.json",
      compilerOptions: { rootDir: "src", outDir: `../../${to}/dist` },
      include: ["src"],
      exclude: ["src/**/*.test.ts"],
    }),
  );
  try {
    execFileSync("tsc", ["-p", config], { stdio: "inherit" });
  } finally {
    rmSync(config);
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own manifests
  const manifest = JSON.parse(readFileSync(`${from}/package.json`, "utf8")) as Manifest;
  for (const [key, value] of Object.entries(manifest.exports)) {
    if (typeof value !== "string") throw new Error(`${name}: exports ${key} is not a path`);
    const path = value.replace("./src/", "./dist/").replace(/\.ts$/, "");
    manifest.exports[key] = { types: `${path}.d.ts`, default: `${path}.js` };
  }
  manifest["files"] = ["dist"];
  manifest["engines"] = { node: ">=22" };
  manifest["repository"] = { type: "git", url: "git+https://example.org/bonafide.git" };
  writeFileSync(`${to}/package.json`, `${JSON.stringify(manifest, null, 2)}\n`);
  cpSync("LICENSE", `${to}/LICENSE`, { errorOnExist: false });
  execFileSync(
    "npm",
    ["pack", "--silent", "--pack-destination", "..", `./${to}`].map((a) => (a === ".." ? out : a)),
    { stdio: "inherit" },
  );
  execFileSync("publint", ["run", `${out}/bonafide-${name}-0.1.0.tgz`, "--strict"], {
    stdio: "inherit",
  });
  const attw = ["--profile", "esm-only", `${out}/bonafide-${name}-0.1.0.tgz`];
  execFileSync("attw", attw, { stdio: "inherit" });
}
process.stdout.write("packages: 3 packed and checked\n");
