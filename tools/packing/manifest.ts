/**
 * The published package.json of the SDK: entries point at the compiled code, internal packages are inside.
 *
 * @param source  The one in the repository.
 */
export function manifestOf(source: Readonly<Record<string, unknown>>): string {
  const { name, version, license, dependencies } = source;
  const kept = Object.entries(typeof dependencies === "object" ? { ...dependencies } : {}).filter(
    ([dependency]) => !dependency.startsWith("@bonafide/"),
  );
  const manifest = {
    name,
    version,
    description: "SPIFFE identities for Node: rotating X509-SVIDs, verified TLS, HTTPS and gRPC",
    license,
    type: "module",
    engines: { node: ">=22" },
    sideEffects: false,
    exports: {
      ".": entry("spiffe/index"),
      "./testing": entry("spiffe/testing/index"),
      "./package.json": "./package.json",
    },
    files: ["dist"],
    dependencies: Object.fromEntries(kept),
  };
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

function entry(path: string): object {
  return { types: `./dist/${path}.d.ts`, default: `./dist/${path}.js` };
}
