import type { Clock, Log } from "@bonafide/lifetime";
import type { KeyManager, ManagedKey } from "@bonafide/plugin-api";
import type { TrustDomain } from "@bonafide/spiffe";
import type { RegistryView } from "../lane/registry-view.ts";
import type { Lane } from "../lane/write-lane.ts";

/** What {@link RecoveryKey} works with. */
export interface RecoveryKeyDeps {
  readonly keys: KeyManager;
  readonly registry: RegistryView;
  readonly lane: Lane;
  readonly clock: Clock;
  readonly log: Log;
  readonly serverId: string;
}

/** The slot of the key manager that holds it, and nothing else. */
const SLOT = "recovery";
/** The setting of the ledger that shows its public half to operators. */
const SETTING = "recovery_key";
const RAW_BYTES = 32;

/**
 * The trust domain's recovery key: Ed25519, made at the first start. It signs one kind of statement, "this was the
 * bundle", for agents all of whose roots have expired; its public half is pinned where an agent is set up.
 */
export class RecoveryKey {
  readonly #keys: KeyManager;
  readonly #key: ManagedKey;

  private constructor(keys: KeyManager, key: ManagedKey) {
    this.#keys = keys;
    this.#key = key;
  }

  /** Takes the key out of its slot, or makes it. That the ledger cannot be written now is no failure. */
  static async open(deps: RecoveryKeyDeps): Promise<RecoveryKey> {
    const { keys, registry, lane, log, serverId } = deps;
    const key = (await keys.find(SLOT)) ?? (await keys.generate(SLOT, "ed25519"));
    const self = new RecoveryKey(keys, key);
    const value = Buffer.from(self.publicKey).toString("base64");
    if (registry.find("setting", SETTING)?.object.value !== value) {
      try {
        await lane.submit(() => [{ put: { kind: "setting", name: SETTING, value } }], {
          actor: { server: serverId, via: "recovery" },
          cause: "recovery_key.made",
        });
      } catch (error) {
        log({ level: "warn", event: "recovery_key.not_recorded", error });
      }
    }
    return self;
  }

  /** The raw public half, 32 bytes. */
  get publicKey(): Uint8Array {
    return this.#key.spki.slice(-RAW_BYTES);
  }

  /** Signs that this is the bundle, to whoever chose the nonce. @throws what the key manager throws */
  sign(statement: BundleStatement): Promise<Uint8Array> {
    return this.#keys.sign(this.#key, signedBundleText(statement));
  }
}

/** The one statement that the recovery key signs. */
export interface BundleStatement {
  readonly trustDomain: TrustDomain;
  readonly sequence: bigint;
  /** SHA-256 of the serialised bundle. */
  readonly digest: Uint8Array;
  /** 32 bytes that the caller chose. */
  readonly nonce: Uint8Array;
}

/** The bytes of a statement. */
export function signedBundleText({
  trustDomain,
  sequence,
  digest,
  nonce,
}: BundleStatement): Uint8Array {
  const name = Buffer.from(trustDomain);
  const numbers = Buffer.alloc(2 + name.length + 8);
  numbers.writeUInt16BE(name.length, 0);
  name.copy(numbers, 2);
  numbers.writeBigUInt64BE(sequence, 2 + name.length);
  return Buffer.concat([Buffer.from("bonafide.agent.v1.SignedBundle\0"), numbers, digest, nonce]);
}
