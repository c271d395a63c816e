import assert from "node:assert/strict";
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import { encodePrivateKey, formatPem } from "@bonafide/pki";
import type { X509Svid } from "../svid/x509-svid.ts";
import { TestTrustDomain } from "../testing/test-trust-domain.ts";
import { type FileSourceOptions, openFileSource } from "./file-source.ts";
import { openSource } from "./open-source.ts";
import type { X509Source } from "./x509-source.ts";

const a = new TestTrustDomain("a.example");
const b = new TestTrustDomain("b.example");

interface Files {
  readonly "tls.crt": string;
  readonly "tls.key": string;
  readonly "ca.crt": string;
}

function filesOf(svid: X509Svid, domain = a): Files {
  return {
    "tls.crt": svid.chain.map(({ der }) => formatPem("CERTIFICATE", der)).join(""),
    "tls.key": formatPem("PRIVATE KEY", encodePrivateKey(svid.privateKey)),
    "ca.crt": domain.bundle.authorities.map(({ der }) => formatPem("CERTIFICATE", der)).join(""),
  };
}

test("a folder of files is a source, and files replaced one by one are followed as a whole", async () => {
  await using folder = await Folder.make();
  const one = a.issue("/one");
  await folder.write(filesOf(one));
  await using source = await openSource({ files: folder.path, settleMs: 1 });
  assert.equal(source.current().id, "spiffe://a.example/one");
  assert.deepEqual([...source.context().bundles.keys()], ["a.example"]);
  for (let i = 0; i < 3; i++) {
    const next = a.issue("/one");
    await folder.write(filesOf(next));
    await followed(source, next);
  }
});

test("an atomic swap of Kubernetes' ..data link is followed", async () => {
  await using folder = await Folder.make();
  const swap = async (name: string, files: Files): Promise<void> => {
    await mkdir(join(folder.path, name));
    for (const [file, text] of Object.entries(files)) {
      await writeFile(join(folder.path, name, file), text);
    }
    await symlink(name, join(folder.path, "..data_tmp"));
    await rename(join(folder.path, "..data_tmp"), join(folder.path, "..data"));
  };
  await swap("..2026_1", filesOf(a.issue("/one")));
  for (const name of ["tls.crt", "tls.key", "ca.crt"]) {
    await symlink(join("..data", name), join(folder.path, name));
  }
  await using source = await openFileSource({ files: folder.path, settleMs: 1 });
  const two = a.issue("/two");
  await swap("..2026_2", filesOf(two));
  await rm(join(folder.path, "..2026_1"), { recursive: true });
  await followed(source, two);
});

test("a set that does not belong together is never adopted: the last good one stays, and the reason is told", async () => {
  await using folder = await Folder.make();
  const one = a.issue("/one");
  const good = filesOf(one);
  const other = filesOf(a.issue("/two"));
  const old = new TestTrustDomain("a.example", { now: Date.now() - 30 * 86_400_000 });
  await folder.write(good);
  const problems: string[] = [];
  await using source = await openFileSource({
    files: folder.path,
    settleMs: 1,
    pollMs: 5,
    onProblem: (error) => problems.push(`${error.code} ${error.details["reason"]}`),
  });
  const cases: readonly (readonly [Partial<Files>, string])[] = [
    [{ "tls.key": other["tls.key"] }, "X509_SVID_INVALID"],
    [{ "tls.crt": other["tls.crt"] }, "X509_SVID_INVALID"],
    [{ "tls.crt": good["tls.crt"].slice(0, 200) }, "X509_SVID_INVALID"],
    [{ "tls.key": "" }, "X509_SVID_INVALID"],
    [{ "ca.crt": "" }, "BUNDLE_MALFORMED"],
    [{ "ca.crt": filesOf(b.issue("/x"), b)["ca.crt"] }, "X509_SVID_UNTRUSTED"],
    [{ "ca.crt": good["tls.key"] }, "BUNDLE_MALFORMED"],
    [filesOf(old.issue("/one"), old), "X509_SVID_UNTRUSTED"],
  ];
  for (const [change, reason] of cases) {
    problems.length = 0;
    await folder.write({ ...good, ...change });
    await until(() => problems.some((problem) => problem === `IDENTITY_FILES_INVALID ${reason}`));
    assert.equal(source.current().chain[0].serialText, one.chain[0].serialText);
  }
  await rm(join(folder.path, "tls.crt"));
  await until(() => problems.includes("IDENTITY_FILES_INVALID unreadable"));
  const back = a.issue("/back");
  await folder.write(filesOf(back));
  await followed(source, back);
});

test("opening fails with a reason when the files cannot be used", async () => {
  await using folder = await Folder.make();
  const open = (options: Partial<FileSourceOptions> = {}): Promise<X509Source> =>
    openFileSource({ files: folder.path, settleMs: 1, ...options });
  await assert.rejects(open(), invalid("unreadable"));
  await folder.write(filesOf(a.issue("/one"), b));
  await assert.rejects(open(), invalid("X509_SVID_UNTRUSTED"));
  await folder.write({ ...filesOf(a.issue("/one")), "ca.crt": "x".repeat(4 * 1024 * 1024 + 1) });
  await assert.rejects(open(), invalid("too-large"));
});

test("a set that changes without a notice is found by the next look, and closing ends the looking", async () => {
  await using folder = await Folder.make();
  await using elsewhere = await Folder.make();
  await elsewhere.write(filesOf(a.issue("/one")));
  // The watched folder holds links only, so nothing is noticed in it.
  const files = { certificate: "tls.crt", key: "tls.key", authorities: "ca.crt" };
  for (const name of Object.values(files)) {
    await symlink(join(elsewhere.path, name), join(folder.path, name));
  }
  const source = await openFileSource({
    files: {
      certificate: join(folder.path, files.certificate),
      key: join(folder.path, files.key),
      authorities: join(folder.path, files.authorities),
    },
    settleMs: 1,
    pollMs: 5,
  });
  const two = a.issue("/two");
  await elsewhere.write(filesOf(two));
  await followed(source, two);
  await source.close();
  await source.close();
});

class Folder implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async make(): Promise<Folder> {
    return new Folder(await mkdtemp(join(tmpdir(), "bf-files-")));
  }

  async write(files: Files): Promise<void> {
    for (const [name, text] of Object.entries(files)) {
      await writeFile(join(this.path, name), text);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}

async function followed(source: X509Source, svid: X509Svid): Promise<void> {
  for await (const context of source.updates()) {
    if (context.svid?.chain[0].serialText === svid.chain[0].serialText) return;
  }
  assert.fail("the source ended");
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

function invalid(reason: string): (error: unknown) => boolean {
  return (error) =>
    isBonafideError(error, "IDENTITY_FILES_INVALID") && error.details["reason"] === reason;
}
