import { createHash } from "node:crypto";
import type { TrustDomain } from "@bonafide/spiffe";
import type { Loss } from "../core/standing.ts";
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
      evictedId: undefined,
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

  /** How this node lost its ID, and which; undefined if it did not, or joined since. */
  get loss(): { readonly kind: Loss; readonly id: string } | undefined {
    const { bannedId, evictedId } = this.#pins;
    if (bannedId !== undefined) return { kind: "banned", id: bannedId };
    return evictedId === undefined ? undefined : { kind: "evicted", id: evictedId };
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
    const spentToken = digest(token);
    await this.#set({ spentToken, formerIds, bannedId: undefined, evictedId: undefined });
  }

  /** The same by a proof, which is not spent. @throws AGENT_STATE_UNAVAILABLE */
  async proved(now: string, before: string | undefined): Promise<void> {
    const formerIds = this.#formerIdsWith(before).filter((id) => id !== now);
    await this.#set({ formerIds, bannedId: undefined, evictedId: undefined });
  }

  /** Notes that the node is to lose its ID, and how. @throws AGENT_STATE_UNAVAILABLE */
  async leaving(id: string | undefined, how: Loss): Promise<void> {
    const lost = id ?? this.loss?.id;
    const bannedId = how === "banned" ? lost : undefined;
    const evictedId = how === "evicted" ? lost : undefined;
    await this.#set({ formerIds: this.#formerIdsWith(id), bannedId, evictedId });
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
