/** What a published package.json is made of. */
export interface ManifestParts {
  /** The one in the repository. */
  readonly source: Readonly<Record<string, unknown>>;
  readonly description: string;
  /** Exact versions, also of what inlined packages need. */
  readonly dependencies: Readonly<Record<string, string>>;
  /** Packages that the user brings, so that there is one copy of each. */
  readonly peers: Readonly<Record<string, string>>;
  /** Folders of the entries in `dist/`, by what users import. */
  readonly entries: Readonly<Record<string, string>>;
}

/** The published package.json: entries point at the compiled code, internal packages are inside. */
export function manifestOf({
  source,
  description,
  dependencies,
  peers,
  entries,
}: ManifestParts): string {
  const { name, version, license } = source;
  const manifest = {
    name,
    version,
    description,
    license,
    type: "module",
    engines: { node: ">=22" },
    sideEffects: false,
    exports: {
      ...Object.fromEntries(Object.entries(entries).map(([key, path]) => [key, entry(path)])),
      "./package.json": "./package.json",
    },
    files: ["dist"],
    ...(Object.keys(dependencies).length > 0 && { dependencies }),
    ...(Object.keys(peers).length > 0 && { peerDependencies: peers }),
  };
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

function entry(path: string): object {
  return { types: `./dist/${path}.d.ts`, default: `./dist/${path}.js` };
}
