import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { collect, dependenciesOf } from "./collect.ts";
import { manifestOf } from "./manifest.ts";

function build(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "bf-collect-"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

test("only what is reached is collected, and imports of internal packages become relative", () => {
  const folder = build({
    "spiffe/index.js":
      'import { a } from "@bonafide/pki";\nexport * from "./id/b.js";\nimport net from "node:net";',
    "spiffe/index.d.ts": 'export declare const x: import("@bonafide/proto/a/b_pb").M;',
    "spiffe/id/b.js": 'import { t } from "@bonafide/pki/testing";',
    "spiffe/id/b.d.ts": "export {};",
    "spiffe/unused.js": "",
    "pki/index.js": "",
    "pki/index.d.ts": "",
    "pki/testing/index.js": 'import "../index.js";',
    "pki/testing/index.d.ts": "",
    "proto/gen/a/b_pb.js": 'import { f } from "@bufbuild/protobuf";',
    "proto/gen/a/b_pb.d.ts": "",
  });
  try {
    const modules = collect({ build: folder, entries: ["spiffe/index.js"] });
    assert.equal(modules.size, 10);
    assert.equal(
      modules.get("spiffe/index.js"),
      'import { a } from "../pki/index.js";\nexport * from "./id/b.js";\nimport net from "node:net";',
    );
    assert.match(
      modules.get("spiffe/index.d.ts") ?? "",
      /import\("\.\.\/proto\/gen\/a\/b_pb\.js"\)/,
    );
    assert.match(modules.get("proto/gen/a/b_pb.js") ?? "", /"@bufbuild\/protobuf"/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("an import that leads nowhere fails the packing", () => {
  const folder = build({
    "spiffe/index.js": 'import "@bonafide/nothing";',
    "spiffe/index.d.ts": "",
  });
  try {
    assert.throws(() => collect({ build: folder, entries: ["spiffe/index.js"] }), /leads nowhere/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("packages that are published by themselves stay imports, and what is imported is known", () => {
  const folder = build({
    "enforce/index.js":
      'import { a } from "@bonafide/spiffe";\nimport "@bonafide/pki";\nimport "node:net";',
    "enforce/index.d.ts": 'import type { B } from "@bonafide/spiffe/testing";',
    "pki/index.js": 'import { f } from "@bufbuild/protobuf/wkt";\nimport g from "g";',
    "pki/index.d.ts": "",
  });
  try {
    const modules = collect({
      build: folder,
      entries: ["enforce/index.js"],
      external: ["@bonafide/spiffe"],
    });
    assert.equal(modules.size, 4);
    assert.match(modules.get("enforce/index.js") ?? "", /from "@bonafide\/spiffe"/);
    assert.deepEqual([...dependenciesOf(modules)].toSorted(), [
      "@bonafide/spiffe",
      "@bufbuild/protobuf",
      "g",
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("the published manifest has the dependencies, peers and entries that it is told", () => {
  const text = manifestOf({
    source: {
      name: "@bonafide/enforce",
      version: "1.2.3",
      license: "Apache-2.0",
      dependencies: { "@bonafide/pki": "1.2.3" },
    },
    description: "d",
    dependencies: { "@grpc/grpc-js": "1.0.0" },
    peers: { "@bonafide/spiffe": "1.2.3" },
    entries: { ".": "enforce/index" },
  });
  const manifest: unknown = JSON.parse(text);
  assert.partialDeepStrictEqual(manifest, {
    dependencies: { "@grpc/grpc-js": "1.0.0" },
    peerDependencies: { "@bonafide/spiffe": "1.2.3" },
    exports: { ".": { default: "./dist/enforce/index.js" } },
  });
  assert.ok(!text.includes("@bonafide/pki"));
});
