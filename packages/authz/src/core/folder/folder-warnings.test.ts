import assert from "node:assert/strict";
import { test } from "node:test";
import { folderWarnings, readFolder } from "../../index.ts";
import { parsers } from "../../testing/parsers.ts";
import { smallOrg } from "../../testing/small-org.ts";

const NOW = Date.UTC(2026, 10, 22, 12);

function warningsOf(text: string): readonly string[] {
  const files = smallOrg().set("teams/shop/policies/w.yaml", text);
  const { folder, findings } = readFolder(files, parsers);
  assert.deepEqual(findings, []);
  return folderWarnings(folder, { now: NOW })
    .filter(({ file }) => file.endsWith("w.yaml"))
    .map(({ line, reason }) => `${line}: ${reason}`);
}

const permit = (id: string, more: string): string =>
  `  - { id: ${id}, reason: y, to: catalogue, ${more} }\n`;
const ending = (id: string, at: string): string => permit(id, `from: team:cart, expires: "${at}"`);

test("a permit is told of a month before it ends, and after it has ended", () => {
  const text = `allow:
${ending("a", "2026-12-22")}${ending("b", "2026-12-23")}${ending("c", "2026-11-23")}${ending("d", "2026-11-22")}`;
  assert.deepEqual(warningsOf(text), [
    "2: shop/a ends in 30 days (2026-12-22)",
    "4: shop/c ends in 1 day (2026-11-23)",
    "5: shop/d has ended (2026-11-22)",
  ]);
});

test("a permit for a group that nobody is in is told of", () => {
  assert.deepEqual(warningsOf(`allow:\n${permit("a", "from: group:nobody")}`), [
    "2: shop/a gives nobody anything yet",
  ]);
});

test("a service that nobody is said to serve is told of", () => {
  const { folder } = readFolder(smallOrg(), parsers);
  const services = folder.model.services.map((one) => ({ ...one, servedBy: [] }));
  const warnings = folderWarnings(
    { ...folder, model: { ...folder.model, services } },
    { now: NOW },
  );
  const unserved = warnings.filter(({ reason }) => reason.includes("has no servedBy"));
  assert.deepEqual(
    unserved.map(({ file }) => file).toSorted(),
    services.map(({ team }) => `teams/${team}/team.yaml`).toSorted(),
  );
});
