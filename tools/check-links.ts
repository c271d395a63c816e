import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { reportCheck } from "./report.ts";

// Links of our pages lead somewhere, headings included, and every ADR that is named exists, once.

const FENCE = /^ *(```|~~~)[\s\S]*?^ *\1/gm;
const EXCLUDE = ["**/node_modules/**", "**/dist/**", "**/.bonafide/**"];
const pages = globSync("**/*.md", { exclude: EXCLUDE });
const sources = globSync(
  [
    "{packages,plugins,apps}/*/{src,proto,wire}/**/*.{ts,proto}",
    "{conformance,suites,examples,bench,tools}/**/*.{ts,py,go}",
  ],
  { exclude: [...EXCLUDE, "**/src/gen/**", "tools/check-links.test.ts"] },
);
const problems: string[] = [];
let links = 0;

const records = new Map<string, string>();
for (const path of globSync("docs/adr/*.md")) {
  const number = /\/(\d{4})-/.exec(path)?.[1];
  if (number === undefined) problems.push(`${path}: no number`);
  else if (records.has(number))
    problems.push(`${path}: ${records.get(number) ?? ""} has ${number}`);
  else records.set(number, path);
}
for (const page of pages) {
  const text = readFileSync(page, "utf8").replaceAll(FENCE, "");
  for (const [, target = ""] of text.matchAll(/\]\(<?([^)\s>]+)>?(?: "[^"]*")?\)/g)) {
    if (/^[a-z]+:/.test(target)) continue;
    links++;
    const problem = follow(page, target);
    if (problem !== undefined) problems.push(`${page}: ${target}: ${problem}`);
  }
}
for (const file of [...pages, ...sources]) {
  for (const [, number = ""] of readFileSync(file, "utf8").matchAll(/\bADR[- ](\d{4})\b/g)) {
    if (!records.has(number)) problems.push(`${file}: there is no ADR ${number}`);
  }
}
reportCheck("links", { pages: pages.length, links, records: records.size }, problems);

/** @returns what is wrong with a link, if anything is */
function follow(page: string, target: string): string | undefined {
  const [path = "", heading] = decodeURIComponent(target).split("#");
  const file = path === "" ? page : join(path.startsWith("/") ? "." : dirname(page), path);
  if (!existsSync(file)) return "no such file";
  const isPage = !statSync(file).isDirectory() && file.endsWith(".md");
  const leads = heading === undefined || !isPage || anchorsOf(file).has(heading);
  return leads ? undefined : "no such heading";
}

/** What GitHub and others make of headings: lower case, punctuation gone, hyphens for blanks, counted when doubled. */
function anchorsOf(page: string): ReadonlySet<string> {
  const seen = new Map<string, number>();
  const anchors = new Set<string>();
  const text = readFileSync(page, "utf8").replaceAll(FENCE, "");
  for (const [, heading = ""] of text.matchAll(/^#{1,6} +(.+?) *#*$/gm)) {
    const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1");
    const slug = plain
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-");
    const times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    anchors.add(times === 0 ? slug : `${slug}-${times}`);
  }
  return anchors;
}
