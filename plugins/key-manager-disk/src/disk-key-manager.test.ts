import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, suite, test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import { encodePrivateKey, formatPem, generateKey } from "@bonafide/pki";
import { keyManagerContract } from "@bonafide/plugin-api/testing";
import { openDiskKeyManager } from "./index.ts";

const home = mkdtempSync(join(tmpdir(), "bonafide-keys-"));
after(() => rmSync(home, { recursive: true, force: true }));
let folders = 0;
const freshPath = (): string => join(home, `keys-${folders++}`);

/** A folder with one key, closed again. */
async function folderWithKey(slot: string): Promise<{ folder: string; file: string }> {
  const folder = freshPath();
  await using keys = await openDiskKeyManager(folder);
  await keys.generate(slot, "ec-p256");
  return { folder, file: join(folder, `${slot}.pem`) };
}

async function refusal(folder: string, code: string): Promise<string> {
  try {
    await using keys = await openDiskKeyManager(folder);
    await keys.list();
  } catch (error) {
    if (!isBonafideError(error, code)) throw error;
    return error.message;
  }
  return assert.fail("opened");
}

keyManagerContract("disk", () => openDiskKeyManager(freshPath()));

suite("key manager disk, on its disk", () => {
  test("keys are there again after a restart, and sign", async () => {
    const folder = freshPath();
    const first = await openDiskKeyManager(folder);
    const key = await first.generate("x509-a", "ec-p256");
    const recovery = await first.generate("recovery", "ed25519");
    await first.close();
    await using second = await openDiskKeyManager(folder);
    assert.deepEqual(await second.list(), [recovery, key]);
    assert.ok((await second.sign(key, new Uint8Array(3))).length > 0);
  });

  test("folder and files are for their owner alone", async () => {
    const { folder, file } = await folderWithKey("x509-a");
    assert.equal(lstatSync(folder).mode & 0o777, 0o700);
    assert.equal(lstatSync(file).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(folder), ["x509-a.pem"]);
    assert.match(readFileSync(file, "utf8"), /^-----BEGIN PRIVATE KEY-----\n/);
  });

  test("openssl reads the key", async () => {
    const { file } = await folderWithKey("x509-a");
    const text = execFileSync("openssl", ["pkey", "-in", file, "-noout", "-text"]).toString();
    assert.match(text, /prime256v1/);
  });

  test("a folder open to others is refused, with the command that mends it", async () => {
    const { folder } = await folderWithKey("a");
    chmodSync(folder, 0o755);
    assert.match(await refusal(folder, "KEY_STORE_UNSAFE"), /chmod 700/);
  });

  test("a file open to others is refused, with the command that mends it", async () => {
    const { folder, file } = await folderWithKey("a");
    chmodSync(file, 0o640);
    assert.match(await refusal(folder, "KEY_STORE_UNSAFE"), /chmod 600 .*a\.pem/);
  });

  test("a folder that is a link is refused", async () => {
    const { folder } = await folderWithKey("a");
    const link = freshPath();
    symlinkSync(folder, link);
    await refusal(link, "KEY_STORE_UNSAFE");
  });

  test("a file that is a link is refused, whatever it points to", async () => {
    const { folder, file } = await folderWithKey("a");
    const elsewhere = join(home, "elsewhere.pem");
    renameSync(file, elsewhere);
    symlinkSync(elsewhere, file);
    assert.match(await refusal(folder, "KEY_STORE_UNSAFE"), /a\.pem/);
  });

  test("a fifo in a file's place is refused and does not hang", async () => {
    const { folder, file } = await folderWithKey("a");
    rmSync(file);
    execFileSync("mkfifo", ["-m", "600", file]);
    await refusal(folder, "KEY_STORE_UNSAFE");
  });

  test("a missing parent is reported with its path", async () => {
    const path = join(freshPath(), "keys");
    assert.ok((await refusal(path, "KEY_STORE_UNAVAILABLE")).includes(path));
  });

  const key = encodePrivateKey(generateKey("ec-p256").privateKey);
  const damages: Readonly<Record<string, string>> = {
    empty: "",
    "not PEM": "hello",
    "another block": formatPem("CERTIFICATE", key),
    "two keys": formatPem("PRIVATE KEY", key) + formatPem("PRIVATE KEY", key),
    "cut short": formatPem("PRIVATE KEY", key.subarray(0, -1)),
    "a key followed by a byte": formatPem("PRIVATE KEY", new Uint8Array([...key, 0])),
    "a key of another curve": formatPem(
      "PRIVATE KEY",
      encodePrivateKey(generateKey("ec-p384").privateKey),
    ),
    huge: "\n".repeat(20_000),
  };
  for (const [name, text] of Object.entries(damages)) {
    test(`a damaged file (${name}) is refused by name, and left as it is`, async () => {
      const { folder, file } = await folderWithKey("x509-a");
      writeFileSync(file, text);
      const message = await refusal(folder, "KEY_STORE_CORRUPT");
      assert.ok(message.includes(file));
      assert.match(message, /restore it from a backup/);
      assert.equal(readFileSync(file, "utf8"), text);
    });
  }

  test("other files in the folder are left alone", async () => {
    const { folder } = await folderWithKey("a");
    writeFileSync(join(folder, "README"), "mine");
    writeFileSync(join(folder, "A.pem"), "mine");
    await using keys = await openDiskKeyManager(folder);
    assert.equal((await keys.list()).length, 1);
    assert.equal(readFileSync(join(folder, "README"), "utf8"), "mine");
  });

  test("what a crash left unfinished is removed at the next start", async () => {
    const { folder } = await folderWithKey("a");
    const left = join(folder, ".unfinished-1f0");
    writeFileSync(left, "half a k", { mode: 0o600 });
    await using keys = await openDiskKeyManager(folder);
    assert.equal((await keys.list()).length, 1);
    assert.ok(!existsSync(left));
  });

  test("a link planted under an unfinished name is not written through", async () => {
    const folder = freshPath();
    await using keys = await openDiskKeyManager(folder);
    const target = join(home, "target");
    writeFileSync(target, "untouched");
    const planted = join(folder, `.unfinished-${process.pid.toString(16)}0`);
    symlinkSync(target, planted);
    await assert.rejects(keys.generate("a", "ec-p256"), (error) =>
      isBonafideError(error, "KEY_STORE_UNAVAILABLE"),
    );
    assert.equal(readFileSync(target, "utf8"), "untouched");
  });

  test("another folder put under the same path is not written to", async () => {
    const folder = freshPath();
    await using keys = await openDiskKeyManager(folder);
    const moved = `${folder}-moved`;
    renameSync(folder, moved);
    mkdirSync(folder, { mode: 0o777 });
    await keys.generate("a", "ec-p256");
    assert.deepEqual(readdirSync(folder), []);
    assert.deepEqual(readdirSync(moved), ["a.pem"]);
  });

  test("a hard link elsewhere does not see the new key", async () => {
    const { folder, file } = await folderWithKey("a");
    const elsewhere = join(home, "hard.pem");
    linkSync(file, elsewhere);
    const before = readFileSync(elsewhere, "utf8");
    await using keys = await openDiskKeyManager(folder);
    await keys.generate("a", "ec-p256");
    assert.equal(readFileSync(elsewhere, "utf8"), before);
    assert.notEqual(readFileSync(file, "utf8"), before);
  });

  test("a full disk leaves the old key, which still signs", async () => {
    const { folder, file } = await folderWithKey("a");
    const before = readFileSync(file, "utf8");
    // A process that may not write one byte to a file: the kernel refuses as it does on a full disk.
    const program = `
      const { openDiskKeyManager } = await import(${JSON.stringify(import.meta.resolve("./index.ts"))});
      const keys = await openDiskKeyManager(${JSON.stringify(folder)});
      const [old] = await keys.list();
      const code = await keys.generate("a", "ec-p256").then(() => "made", (error) => error.code);
      const same = (await keys.find("a")) === old;
      const signed = (await keys.sign(old, new Uint8Array(1))).length > 0;
      process.stdout.write(JSON.stringify({ code, same, signed }));
      await keys.close();`;
    const shell = `trap '' XFSZ; ulimit -f 0; exec "$0" --input-type=module -e "$1"`;
    const output = execFileSync("sh", ["-c", shell, process.execPath, program], {
      env: { ...process.env, NODE_OPTIONS: "", NODE_COMPILE_CACHE: "" },
    });
    const expected = { code: "KEY_STORE_UNAVAILABLE", same: true, signed: true };
    assert.deepEqual(JSON.parse(output.toString()), expected);
    assert.equal(readFileSync(file, "utf8"), before);
    assert.deepEqual(readdirSync(folder), ["a.pem"]);
  });
});
