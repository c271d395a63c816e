import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import process from "node:process";
import { renderCliPage } from "@bonafide/cli/cli-page";
import { renderConfigPage } from "@bonafide/cli/config-page";
import { configSchemas } from "@bonafide/cli/config-schemas";
import { renderOperationsPage } from "@bonafide/cli/operations-page";
import { reportCheck } from "./report.ts";

// docs/cli.md, docs/config/README.md and the JSON Schemas of both configuration files are what the code says. `--write` writes them.

const page = await renderCliPage();
const wanted: Readonly<Record<string, string>> = {
  "docs/cli.md": page.text,
  "docs/config/README.md": renderConfigPage(),
  "docs/operations.md": renderOperationsPage(),
  ...Object.fromEntries(
    Object.entries(configSchemas()).map(([name, schema]) => [
      `docs/config/${name}.schema.json`,
      `${JSON.stringify(schema, undefined, 2)}\n`,
    ]),
  ),
};
const problems: string[] = [];
for (const [path, text] of Object.entries(wanted)) {
  if (process.argv.includes("--write")) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  } else if (read(path) !== text) problems.push(`${path} is not up to date: npm run docs`);
}
reportCheck("cli docs", { commands: page.commands, files: Object.keys(wanted).length }, problems);

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
