import { createHash } from "node:crypto";
import type { TrustDomain } from "@bonafide/spiffe";
import type { PinFile, Pins } from "../disk/pin-file.ts";

const FORMER_IDS_MAX = 16;

/** What the agent learned once and holds on to, in memory and on disk. */
export class NodePins {
  readonly #file: PinFile;
  #pins: Pins;

  /** @param pins  As read from disk; undefined at the first start. */
  constructor(file: PinFile, trustDomain: TrustDomain, pins: Pins | undefined) {
    this.#file = file;
    this.#pins = pins ?? {
      trustDomain,
      recoveryKey: undefined,
      spentToken: undefined,
      formerIds: [],
      bannedId: undefined,
    };
  }

  /** Raw Ed25519 key that signs bundles for recovery; undefined until it was told. */
  get recoveryKey(): Uint8Array | undefined {
    return this.#pins.recoveryKey;
  }

  /** IDs that this node had before, the newest last. */
  get formerIds(): readonly string[] {
    return this.#pins.formerIds;
  }

  /** The ID that this node lost to a ban; undefined if it joined since. */
  get bannedId(): string | undefined {
    return this.#pins.bannedId;
  }

  /** Whether this node came in by that token. */
  isSpent(token: string): boolean {
    return digest(token) === this.#pins.spentToken;
  }

  /** @throws AGENT_STATE_UNAVAILABLE */
  async pinRecoveryKey(recoveryKey: Uint8Array): Promise<void> {
    await this.#set({ recoveryKey });
  }

  /** Notes that a token brought the ID `now`, in place of `before`. @throws AGENT_STATE_UNAVAILABLE */
  async joined(token: string, now: string, before: string | undefined): Promise<void> {
    const formerIds = this.#formerIdsWith(before).filter((id) => id !== now);
    await this.#set({ spentToken: digest(token), formerIds, bannedId: undefined });
  }

  /** Notes that the node is to lose its ID, by a ban or otherwise. @throws AGENT_STATE_UNAVAILABLE */
  async leaving(id: string | undefined, by: { readonly ban: boolean }): Promise<void> {
    const bannedId = by.ban ? (id ?? this.bannedId) : undefined;
    await this.#set({ formerIds: this.#formerIdsWith(id), bannedId });
  }

  async #set(more: Partial<Pins>): Promise<void> {
    this.#pins = { ...this.#pins, ...more };
    await this.#file.write(this.#pins);
  }

  #formerIdsWith(id: string | undefined): readonly string[] {
    const others = this.formerIds.filter((each) => each !== id);
    return id === undefined ? others : [...others, id].slice(-FORMER_IDS_MAX);
  }
}

function digest(token: string): string {
  return createHash("sha256").update(token, "utf8").digest("hex");
}
