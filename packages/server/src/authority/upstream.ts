import { BonafideError } from "@bonafide/errors";
import type { AuthorityObject } from "@bonafide/ledger";
import { type Clock, every, type Log } from "@bonafide/lifetime";
import { createCsr, parseCertificate, publicKeyOf, type Signer, verifyPath } from "@bonafide/pki";
import {
  canPublishJwtKeys,
  UPSTREAM_AUTHORITY_ERRORS,
  type UpstreamAuthority,
  type UpstreamBundle,
  type UpstreamJwtKey,
  type UpstreamRoot,
} from "@bonafide/plugin-api";
import type { TrustDomain } from "@bonafide/spiffe";
import { type ForeignKey, mirroring, type UpstreamPicture } from "../core/upstream-changes.ts";
import type { RegistryView } from "../lane/registry-view.ts";
import type { Lane } from "../lane/write-lane.ts";
import { LIMITS } from "../limits.ts";
import { authorityIdOf } from "./sign-svid.ts";

/** What {@link Upstream} works with. */
export interface UpstreamDeps {
  readonly authority: UpstreamAuthority;
  readonly registry: RegistryView;
  readonly lane: Lane;
  readonly clock: Clock;
  readonly log: Log;
}

/** Options of {@link Upstream}. */
export interface UpstreamOptions {
  readonly trustDomain: TrustDomain;
  readonly serverId: string;
}

/** How often the upstream's bundle is asked for, ms. */
const LOOK_MS = 5000;
/** Longest wait for an answer, ms. */
const CALL_MS = 15_000;

/** The authority above this server: signs ours, and its bundle is part of ours. */
export class Upstream {
  readonly #deps: UpstreamDeps;
  readonly #options: UpstreamOptions;
  /** Own JWT keys that the upstream has published. */
  readonly #announced = new Set<string>();
  /** JWT keys that the upstream marks. */
  #taintedKeys: ReadonlySet<string> = new Set();
  /** JWT keys of the upstream that cannot be used here, as the log was told. */
  #unusable = "";
  #isBehind = false;
  #seen: bigint | undefined;

  constructor(deps: UpstreamDeps, options: UpstreamOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** Whether keys for JWT-SVIDs are published above. */
  get publishesJwtKeys(): boolean {
    return canPublishJwtKeys(this.#deps.authority);
  }

  /**
   * Has an authority of ours signed. Its root is published here before it is returned.
   *
   * @returns DER, ours first, root last.
   * @throws UPSTREAM_AUTHORITY_INVALID  what came does not lead from our key to a root that counts
   * @throws what the upstream and the lane throw
   */
  async mint(signer: Signer, ttlMs: number): Promise<readonly Uint8Array[]> {
    const { authority, clock } = this.#deps;
    const csr = createCsr(signer, { uris: [`spiffe://${this.#options.trustDomain}`] });
    const { chain, roots } = await authority.mint({ csr, ttlMs }, within());
    await this.#adopt({ keys: roots.map(readRoot), isWhole: false });
    try {
      if (chain.length > LIMITS.upstreamChain) throw new Error("the chain is too long");
      const certificates = chain.map(parseCertificate);
      const anchors = roots.filter((root) => this.#isTrusted(root));
      const { path } = verifyPath(
        certificates,
        anchors.map(({ certificate }) => parseCertificate(certificate)),
        { now: clock.now(), subjectKind: "authority" },
      );
      const [own] = path;
      if (own === undefined || !Buffer.from(own.spki).equals(signer.spki)) {
        throw new Error("it is for another key");
      }
      if (own.uris.length !== 1 || own.uris[0] !== `spiffe://${this.#options.trustDomain}`) {
        throw new Error("it is for another trust domain");
      }
      return path.map(({ der }) => der);
    } catch (cause) {
      throw new BonafideError(
        UPSTREAM_AUTHORITY_ERRORS,
        "UPSTREAM_AUTHORITY_INVALID",
        "the upstream signed what cannot be used",
        { cause },
      );
    }
  }

  /** Whether an X.509 authority of ours has to make room: its root counts no more, or it has none above. */
  isOutdated({ certificateChain }: AuthorityObject): boolean {
    const root = certificateChain.length > 1 ? certificateChain.at(-1) : undefined;
    return root === undefined || !this.#isTrusted({ certificate: root, tainted: false });
  }

  /** Whether the upstream told everybody to move away from a JWT key of ours. */
  isTaintedKey(id: string): boolean {
    return this.#taintedKeys.has(id);
  }

  /** Publishes a JWT key of ours above, if it is not there yet. @throws what the upstream throws */
  async announce({ id, publicKey, notAfterMs }: AuthorityObject): Promise<void> {
    if (this.#announced.has(id)) return;
    await this.publish({ keyId: id, publicKey, expiresAt: notAfterMs, tainted: false });
    this.#announced.add(id);
  }

  /** Publishes a JWT key above, that of a server below us too, and here. @throws what upstream and lane throw */
  async publish(key: UpstreamJwtKey): Promise<void> {
    const { authority } = this.#deps;
    if (!canPublishJwtKeys(authority)) return;
    const keys = await authority.publishJwtKey(key, within());
    await this.#adopt({ keys: this.#readKeys(keys), isWhole: false });
  }

  /** Takes over what the upstream publishes now. @returns whether anything changed */
  async refresh(): Promise<boolean> {
    const askedAt = this.#deps.clock.now();
    const announced = new Set(this.#announced);
    const bundle = await this.#deps.authority.bundle(within());
    const { sequenceNumber } = bundle;
    const isLate =
      sequenceNumber !== undefined && this.#seen !== undefined && sequenceNumber < this.#seen;
    // An upstream without a root is not well; a late answer, of another of its servers, would undo what came after it.
    if (isLate) this.#sayBehind(sequenceNumber);
    if (bundle.roots.length === 0 || isLate) return false;
    this.#isBehind = false;
    this.#seen = sequenceNumber;
    const before = this.#taintedKeys.size;
    const picture = this.#readBundle(bundle);
    this.#taintedKeys = new Set(
      picture.keys.filter(({ use, tainted }) => use === "jwt" && tainted).map(({ id }) => id),
    );
    return (
      (await this.#adopt(picture, { askedAt, announced })) || this.#taintedKeys.size !== before
    );
  }

  /** Follows the upstream until the signal aborts; failures are logged, and what was known stays in force. */
  async run(signal: AbortSignal, changed: () => void): Promise<void> {
    const { clock, log } = this.#deps;
    const failed = (error: unknown): void => {
      log({ level: "warn", event: "upstream.not_followed", error });
    };
    const look = async (): Promise<void> => {
      if (await this.refresh()) changed();
    };
    await every({ clock, ms: LOOK_MS, failed }, look, signal);
  }

  /** Whether a root is known here and neither tainted nor revoked. */
  #isTrusted(root: UpstreamRoot): boolean {
    const id = authorityIdOf(parseCertificate(root.certificate));
    const state = this.#deps.registry.find("authority", `x509/${id}`)?.object.state;
    return !root.tainted && state === "old";
  }

  /** @param asked  As of when a whole picture speaks: what came after it was asked for is not missing from it. */
  async #adopt(
    picture: UpstreamPicture,
    asked?: { readonly askedAt: number; readonly announced: ReadonlySet<string> },
  ): Promise<boolean> {
    const { lane, clock, log } = this.#deps;
    const { serverId } = this.#options;
    const now = clock.now();
    const { askedAt = now, announced = this.#announced } = asked ?? {};
    const decide = mirroring(picture, { now, askedAt, serverId, announced });
    const actor = { server: serverId, via: "upstream" };
    const { changes } = await lane.submit(decide, { actor, cause: "upstream.bundle" });
    if (changes.length === 0) return false;
    log({ level: "info", event: "upstream.changed", fields: { authorities: changes.length } });
    return true;
  }

  /** @throws UPSTREAM_AUTHORITY_INVALID  a root cannot be read, or there are too many authorities */
  #readBundle({ roots, jwtKeys, isWhole }: UpstreamBundle): UpstreamPicture {
    if (roots.length + jwtKeys.length > LIMITS.upstreamAuthorities) {
      throw unreadable("the upstream publishes too many authorities");
    }
    return { keys: [...roots.map(readRoot), ...this.#readKeys(jwtKeys)], isWhole };
  }

  /**
   * Keys that cannot be used are left out: any server below the upstream may publish there, and none of them is to keep
   * the others from following it.
   */
  #readKeys(keys: readonly UpstreamJwtKey[]): readonly ForeignKey[] {
    const usable = keys.filter(({ keyId, publicKey }) => isJwtKey(keyId, publicKey));
    const left = keys.filter((key) => !usable.includes(key)).map(({ keyId }) => keyId);
    const told = left.toSorted().join();
    if (left.length > 0 && told !== this.#unusable) {
      const fields = { keys: left.length, such: (left[0] ?? "").slice(0, LIMITS.keyIdChars) };
      this.#deps.log({ level: "warn", event: "upstream.keys_left_out", fields });
    }
    this.#unusable = told;
    return usable.map(readKey);
  }

  /** An upstream that was set back stays behind for long: nothing that it says is followed meanwhile. */
  #sayBehind(sequenceNumber: bigint | undefined): void {
    if (this.#isBehind) return;
    this.#isBehind = true;
    const fields = { seen: String(this.#seen), answered: String(sequenceNumber) };
    this.#deps.log({ level: "warn", event: "upstream.behind", fields });
  }
}

function within(): { readonly signal: AbortSignal } {
  return { signal: AbortSignal.timeout(CALL_MS) };
}

function readRoot({ certificate: der, tainted }: UpstreamRoot): ForeignKey {
  try {
    const certificate = parseCertificate(der);
    return {
      use: "x509",
      id: authorityIdOf(certificate),
      certificate: der,
      publicKey: certificate.spki,
      notBeforeMs: certificate.notBefore,
      notAfterMs: certificate.notAfter,
      tainted,
    };
  } catch (cause) {
    throw unreadable("a root of the upstream cannot be read", cause);
  }
}

function readKey({ keyId, publicKey, expiresAt, tainted }: UpstreamJwtKey): ForeignKey {
  return {
    use: "jwt",
    id: keyId,
    certificate: undefined,
    publicKey,
    notBeforeMs: 0,
    notAfterMs: expiresAt,
    tainted,
  };
}

/** Whether somebody else's key for JWT-SVIDs can be published: an id that can be shown, and a key that is accepted. */
export function isJwtKey(keyId: string, spki: Uint8Array): boolean {
  if (keyId.length > LIMITS.keyIdChars || !/^[!-~]+$/.test(keyId)) return false;
  try {
    publicKeyOf({ spki });
    return true;
  } catch {
    return false;
  }
}

function unreadable(message: string, cause?: unknown): BonafideError {
  return new BonafideError(UPSTREAM_AUTHORITY_ERRORS, "UPSTREAM_AUTHORITY_INVALID", message, {
    cause,
  });
}
