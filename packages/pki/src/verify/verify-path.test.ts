import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import {
  type Certificate,
  formatPem,
  parseCertificate,
  verifyPath,
  type VerifyPathOptions,
} from "../index.ts";
import { type ChainCase, chainCases, makeCertificate, makeKey, TestCa } from "../testing/index.ts";

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

/** The requirement that a case of the fixture list holds, where it is one of its own. */
const ITEMS: readonly (readonly [RegExp, string])[] = [
  [/^A: DNS, email and IP/, "X509-03 (X509-SVID §2): "],
  [/^A: empty subject/, "X509-05 (X509-SVID §3.1): "],
  [/^(R7|R25):/, "X509-20 (X509-SVID §5.2): "],
  [/^(R8|R9):/, "X509-21 (X509-SVID §5.2): "],
  [/path length/, "X509-11 (X509-SVID §4.1): "],
  [/^R2[34]:/, "X509-12 (X509-SVID §4.2): "],
];

function itemOf(name: string): string {
  return ITEMS.find(([pattern]) => pattern.test(name))?.[1] ?? "";
}

suite("X509-19 (X509-SVID §5.1): path validation", () => {
  for (const entry of cases) {
    test(`${itemOf(entry.name)}${entry.name}: ${entry.expect}`, () => {
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

suite("path validation, further", () => {
  const root = new TestCa("spiffe://a");
  const middle = root.intermediate();
  const { chain, certificate } = middle.issue("spiffe://a/x");
  const anchors = [root.certificate];

  test("the verdict holds from the latest beginning to the earliest end of the path", () => {
    const { path, notBefore, notAfter } = verifyPath(chain, anchors, { now: Date.now() });
    assert.deepEqual(path, [...chain, ...anchors]);
    assert.equal(notBefore, Math.max(...path.map((each) => each.notBefore)));
    assert.equal(notAfter, certificate.notAfter);
    verifyPath(chain, anchors, { now: notBefore });
    verifyPath(chain, anchors, { now: notAfter });
    refuses(chain, anchors, { now: notBefore - 1 }, "PATH_NOT_YET_VALID");
    refuses(chain, anchors, { now: notAfter + 1 }, "PATH_EXPIRED");
  });

  test("a time that is no number is refused", () => {
    refuses(chain, anchors, { now: Number.NaN }, "PATH_NOT_YET_VALID");
  });

  test("an authority is proven where an authority is asked for, and a leaf is not", () => {
    const now = Date.now();
    const authority = [middle.certificate];
    verifyPath(authority, anchors, { now, subjectKind: "authority" });
    refuses(authority, anchors, { now }, "PATH_LEAF_IS_AUTHORITY");
    refuses(chain, anchors, { now, subjectKind: "authority" }, "PATH_ISSUER_NOT_AUTHORITY");
  });

  test("an authority asked for counts against the path length above it", () => {
    const limited = root.intermediate({ pathLength: 0 });
    const below = limited.intermediate();
    const pair = [below.certificate, limited.certificate];
    const options = { now: Date.now(), subjectKind: "authority" } as const;
    refuses(pair, anchors, options, "PATH_LENGTH_EXCEEDED");
  });

  test("bounds can be tightened and not loosened", () => {
    const now = Date.now();
    refuses(chain, anchors, { now, limits: { presented: 1 } }, "PATH_TOO_LONG");
    refuses(chain, anchors, { now, limits: { pathDepth: 2 } }, "PATH_UNKNOWN_AUTHORITY");
    refuses(chain, anchors, { now, limits: { pathSignatures: 1 } }, "PATH_TOO_MANY_SIGNATURES");
    const many = [...chain, ...Array.from({ length: 9 }, () => root.certificate)];
    const loose = { presented: 100, pathDepth: Number.NaN, pathSignatures: Infinity };
    refuses(many, anchors, { now, limits: loose }, "PATH_TOO_LONG");
    verifyPath(chain, anchors, { now, limits: loose });
  });

  test("the caller's own reading of the name is held against constraints, too", () => {
    const constrained = root.intermediate({ uriConstraints: { permitted: ["a"] } });
    const presented = constrained.issue("spiffe://a/x").chain;
    const now = Date.now();
    verifyPath(presented, anchors, { now, uriName: "a" });
    verifyPath(presented, anchors, { now });
    for (const uriName of ["b", "10.0.0.1", ""]) {
      refuses(presented, anchors, { now, uriName }, "PATH_NAME_CONSTRAINT");
    }
  });

  test("every URI name of a leaf is held against constraints, wherever its host stands", () => {
    const constrained = root.intermediate({ uriConstraints: { excluded: ["evil.org"] } });
    const uris = ["a://EVIL.org/x", "a://me@evil.org", "a://evil.org:1", "a://evil.org?x", "a:x"];
    uris.push("a://10.0.0.1/", "a://[::1]/", "a://");
    for (const uri of uris) {
      const presented = constrained.issue(uri).chain;
      refuses(presented, anchors, { now: Date.now() }, "PATH_NAME_CONSTRAINT");
    }
    const fine = constrained.issue("a://fine.org/evil.org").chain;
    verifyPath(fine, anchors, { now: Date.now() });
  });

  test("a leaf without any URI is not touched by constraints on URIs", () => {
    const constrained = root.intermediate({ uriConstraints: { permitted: ["b"] } });
    const presented = constrained.issue("unused:", { uris: [], dnsNames: ["x.org"] }).chain;
    verifyPath(presented, anchors, { now: Date.now() });
  });

  test("an authority whose key is not on its curve signs nothing", () => {
    const made = makeCertificate({ commonName: "OFF", isAuthority: true });
    const spki = made.spki.slice();
    spki[90] = (spki.at(-1) ?? 0) ^ 1;
    const off = makeCertificate({
      commonName: "OFF",
      isAuthority: true,
      key: { privateKey: made.privateKey, spki },
    });
    const end = makeCertificate({ commonName: "x" }, off);
    const options = { now: Date.now() };
    refuses(
      [parseCertificate(end.der)],
      [parseCertificate(off.der)],
      options,
      "PATH_SIGNATURE_WEAK",
    );
  });

  test("a leaf whose issuer has no name at all is refused with words", () => {
    const nameless = parseCertificate(makeCertificate({ issuerName: "", uris: ["a:b"] }).der);
    refuses([nameless], anchors, { now: Date.now() }, "PATH_UNKNOWN_AUTHORITY");
  });

  test("a bug on the way is thrown as it is, never taken for a verdict", () => {
    const broken: Certificate = {
      ...middle.certificate,
      get notBefore(): number {
        throw new TypeError("a bug");
      },
    };
    const leafOnly = chain.slice(0, 1);
    assert.throws(() => verifyPath(leafOnly, [broken], { now: Date.now() }), TypeError);
  });

  test("a storm of cross-signed authorities ends at the signature bound", () => {
    const keys = [0, 1, 2, 3].map(() => makeKey());
    const roots = keys.map((key, index) =>
      makeCertificate({ commonName: `S${index}`, isAuthority: true, key }),
    );
    const storm = keys.flatMap((key, index) =>
      roots.flatMap((issuer, by) =>
        by === index
          ? []
          : [makeCertificate({ commonName: `S${index}`, isAuthority: true, key }, issuer)],
      ),
    );
    const end = makeCertificate({ commonName: "x" }, roots[0]);
    const presented = [end, ...storm.slice(0, 9)].map(({ der }) => parseCertificate(der));
    refuses(presented, anchors, { now: Date.now() }, "PATH_TOO_MANY_SIGNATURES");
  });

  test("whatever byte of a chain changes, it is proven as before or refused with a code", () => {
    const [leaf, issuer] = chain;
    assert.ok(leaf !== undefined && issuer !== undefined);
    let proven = 0;
    for (const subject of [leaf, issuer]) {
      for (let at = 0; at < subject.der.length; at++) {
        const der = subject.der.slice();
        der[at] = (der[at] ?? 0) ^ (1 << (at % 8));
        try {
          const changed = parseCertificate(der);
          const pair = subject === leaf ? [changed, issuer] : [leaf, changed];
          verifyPath(pair, anchors, { now: Date.now() });
          proven++;
        } catch (error) {
          if (!isBonafideError(error)) throw error;
        }
      }
    }
    // Every byte is signed, or is the signature.
    assert.equal(proven, 0);
  });
});

function refuses(
  chain: readonly Certificate[],
  anchors: readonly Certificate[],
  options: VerifyPathOptions,
  code: string,
): void {
  assert.throws(
    () => verifyPath(chain, anchors, options),
    (error) => isBonafideError(error, code),
  );
}
