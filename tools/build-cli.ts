import { build } from "esbuild";

const banner = "import{createRequire as $r}from'node:module';const require=$r(import.meta.url);";
await build({
  entryPoints: ["apps/cli/src/main.ts"],
  outfile: "dist/bonafide.mjs",
  bundle: true,
  platform: "node",
  target: "node26",
  format: "esm",
  minify: true,
  legalComments: "linked",
  banner: { js: banner },
});
