import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import { formatPem, parseCertificate, verifyPath } from "../index.ts";
import { type ChainCase, chainCases } from "../testing/index.ts";

const folder = mkdtempSync(join(tmpdir(), "bonafide-pki-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function judge(entry: ChainCase): string {
  try {
    const chain = entry.chain.map(({ der }) => parseCertificate(der));
    const anchors = entry.anchors.map(({ der }) => parseCertificate(der));
    const uriName = entry.trustDomain ?? "a";
    const { path } = verifyPath(chain, anchors, { now: Date.now(), uriName });
    assert.equal(path[0], chain[0]);
    assert.ok(anchors.includes(path.at(-1) ?? assert.fail("empty path")));
    return "ok";
  } catch (error) {
    if (isBonafideError(error)) return error.code;
    throw error;
  }
}

function write(name: string, certificates: ChainCase["chain"]): string {
  const path = join(folder, name);
  writeFileSync(path, certificates.map(({ der }) => formatPem("CERTIFICATE", der)).join(""));
  return path;
}

function openssl(entry: ChainCase): string {
  const anchors = write("anchors.pem", entry.anchors);
  const leaf = write("leaf.pem", entry.chain.slice(0, 1));
  const others = write("others.pem", entry.chain.slice(1));
  const strict = ["verify", "-no-CApath", "-no-CAstore", "-x509_strict", "-CAfile", anchors];
  const untrusted = entry.chain.length > 1 ? ["-untrusted", others] : [];
  try {
    execFileSync("openssl", [...strict, ...untrusted, leaf], { stdio: "pipe" });
    return "ok";
  } catch {
    return "refused";
  }
}

const cases = chainCases();

suite("X509-19 (X509-SVID §5.1): path validation", () => {
  for (const entry of cases) {
    test(`${entry.name}: ${entry.expect}`, () => {
      assert.equal(judge(entry), entry.expect);
    });
  }
});

suite("openssl judges the same chains alike, but where the case says why not", () => {
  for (const entry of cases) {
    test(entry.name, () => {
      const ours = entry.expect === "ok" ? "ok" : "refused";
      const theirs = openssl(entry);
      const expected = entry.opensslDiffers === undefined ? ours : ours === "ok" ? "refused" : "ok";
      assert.equal(theirs, expected);
    });
  }
});
