import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import { publicKeyOf, signatureAlgorithmOf, verifySignature } from "@bonafide/pki";
import { canSignInProcess, type KeyManager, type ManagedKey } from "../key-manager.ts";

const MESSAGE = new Uint8Array(Buffer.from("what is signed"));
const INVALID_SLOTS = ["", "A", "1a", "a/b", "../a", "a.pem", "a\0", "ä", "a".repeat(65), "-a"];

function withCode(code: string): (error: unknown) => boolean {
  return (error) => isBonafideError(error, code);
}

function isSignature(key: ManagedKey, signature: Uint8Array): boolean {
  const algorithm = signatureAlgorithmOf(key.algorithm);
  return verifySignature({ algorithm, message: MESSAGE, signature, publicKey: publicKeyOf(key) });
}

/**
 * The contract of {@link KeyManager}, as tests: every key manager passes it.
 *
 * @param name  Of the manager.
 * @param open  Opens a manager with no keys; the suite closes it.
 */
export function keyManagerContract(name: string, open: () => Promise<KeyManager>): void {
  suite(`key manager ${name}`, () => {
    test("a new manager holds nothing", async () => {
      await using keys = await open();
      assert.deepEqual(await keys.list(), []);
      assert.equal(await keys.find("x509-a"), undefined);
    });

    for (const algorithm of ["ec-p256", "ed25519"] as const) {
      test(`signs with a key it made (${algorithm})`, async () => {
        await using keys = await open();
        const key = await keys.generate("x509-a", algorithm);
        assert.equal(key.algorithm, algorithm);
        assert.deepEqual(await keys.find("x509-a"), key);
        assert.ok(isSignature(key, await keys.sign(key, MESSAGE)));
      });
    }

    test("lists its keys by slot", async () => {
      await using keys = await open();
      const c = await keys.generate("c", "ec-p256");
      const a = await keys.generate("a", "ec-p256");
      const b = await keys.generate("b-1", "ed25519");
      assert.deepEqual(await keys.list(), [a, b, c]);
    });

    test("a replaced key signs no more, and never by its successor", async () => {
      await using keys = await open();
      const old = await keys.generate("x509-a", "ec-p256");
      const fresh = await keys.generate("x509-a", "ec-p256");
      assert.notDeepEqual(fresh.spki, old.spki);
      assert.deepEqual(await keys.list(), [fresh]);
      await assert.rejects(keys.sign(old, MESSAGE), withCode("KEY_NOT_FOUND"));
      assert.ok(isSignature(fresh, await keys.sign(fresh, MESSAGE)));
    });

    test("of calls made at once for a slot, the last one stands", async () => {
      await using keys = await open();
      const made = await Promise.all(
        Array.from({ length: 8 }, () => keys.generate("x509-a", "ec-p256")),
      );
      assert.deepEqual(await keys.find("x509-a"), made.at(-1));
    });

    test("a removed key is gone; removing a free slot does nothing", async () => {
      await using keys = await open();
      const key = await keys.generate("x509-a", "ec-p256");
      await keys.remove("x509-a");
      await keys.remove("x509-a");
      assert.equal(await keys.find("x509-a"), undefined);
      await assert.rejects(keys.sign(key, MESSAGE), withCode("KEY_NOT_FOUND"));
    });

    test("a key of another slot is not found", async () => {
      await using keys = await open();
      const key = await keys.generate("a", "ec-p256");
      await keys.generate("b", "ec-p256");
      const mistaken = { ...key, slot: "b" };
      await assert.rejects(keys.sign(mistaken, MESSAGE), withCode("KEY_NOT_FOUND"));
    });

    for (const slot of INVALID_SLOTS) {
      test(`refuses the slot ${JSON.stringify(slot).slice(0, 20)}`, async () => {
        await using keys = await open();
        await assert.rejects(keys.generate(slot, "ec-p256"), withCode("KEY_SLOT_INVALID"));
        await assert.rejects(keys.find(slot), withCode("KEY_SLOT_INVALID"));
        await assert.rejects(keys.remove(slot), withCode("KEY_SLOT_INVALID"));
      });
    }

    test("an aborted call changes nothing", async () => {
      await using keys = await open();
      const key = await keys.generate("a", "ec-p256");
      const signal = AbortSignal.abort();
      await assert.rejects(keys.generate("a", "ec-p256", { signal }), { name: "AbortError" });
      await assert.rejects(keys.remove("a", { signal }), { name: "AbortError" });
      assert.deepEqual(await keys.list(), [key]);
    });

    test("after close every call fails, and closing again does nothing", async () => {
      const keys = await open();
      const key = await keys.generate("a", "ec-p256");
      const signer = canSignInProcess(keys) ? keys.signer(key) : undefined;
      await keys.close();
      await keys.close();
      const closed = withCode("KEY_MANAGER_CLOSED");
      await assert.rejects(keys.generate("a", "ec-p256"), closed);
      await assert.rejects(keys.find("a"), closed);
      await assert.rejects(keys.list(), closed);
      await assert.rejects(keys.sign(key, MESSAGE), closed);
      await assert.rejects(keys.remove("a"), closed);
      if (signer !== undefined) assert.throws(() => signer.sign(MESSAGE), closed);
    });

    test("a signer in this process outlives its slot, and is made for the slot's key only", async () => {
      await using keys = await open();
      if (!canSignInProcess(keys)) return;
      const old = await keys.generate("a", "ec-p256");
      const signer = keys.signer(old);
      await keys.generate("a", "ec-p256");
      assert.deepEqual(signer.spki, old.spki);
      assert.ok(isSignature(old, signer.sign(MESSAGE)));
      assert.throws(() => keys.signer(old), withCode("KEY_NOT_FOUND"));
    });
  });
}
