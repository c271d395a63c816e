import { BonafideError } from "@bonafide/errors";
import type { AuthorityObject } from "@bonafide/ledger";
import { equalBytes } from "@bonafide/ledger";
import { type Clock, type Log, slept } from "@bonafide/lifetime";
import type { CanSignInProcess, KeyManager, ManagedKey } from "@bonafide/plugin-api";
import { nextRotation, type OwnAuthority } from "../core/authority-rotation.ts";
import { SERVER_ERRORS } from "../errors.ts";
import type { Change, RegistryView } from "../lane/registry-view.ts";
import type { Lane } from "../lane/write-lane.ts";
import type { AuthorityInUse, AuthorityKind } from "./authority-kind.ts";

/** What {@link AuthorityService} works with. */
export interface AuthorityDeps {
  readonly keys: KeyManager & CanSignInProcess;
  readonly registry: RegistryView;
  readonly lane: Lane;
  readonly clock: Clock;
  readonly log: Log;
}

/** Options of {@link AuthorityService}. */
export interface AuthorityOptions {
  /** Random id of this server. */
  readonly serverId: string;
  /** How long expired authorities are kept for recovering nodes, ms. */
  readonly recoveryWindowMs: number;
}

/** How long to wait at most before looking again: clocks may be set, and other servers act. */
const LOOK_MS = 10_000;
/** Steps that one look may take; more would be a loop in the rules. */
const STEPS_MAX = 32;

/**
 * This server's signing authorities of one use: makes, publishes, activates and retires them, by the rules of the core.
 *
 * Private keys stay in the key manager; the authorities are objects of the ledger. Reads are synchronous and safe at any
 * time.
 */
export class AuthorityService<A extends AuthorityInUse> {
  readonly #deps: AuthorityDeps;
  readonly #options: AuthorityOptions;
  readonly #kind: AuthorityKind<A>;
  #keys: readonly ManagedKey[] = [];
  #signing: A | undefined;
  #settled: Promise<unknown> = Promise.resolve();

  constructor(deps: AuthorityDeps, options: AuthorityOptions, kind: AuthorityKind<A>) {
    this.#deps = deps;
    this.#options = { ...options, ...(kind.outlivesItsEnd ? {} : { recoveryWindowMs: 0 }) };
    this.#kind = kind;
  }

  /**
   * The authority to sign with now.
   *
   * @throws AUTHORITY_NOT_READY  there is none, or it has ended
   */
  signing(): A {
    const signing = this.#signing;
    const state = signing && this.#deps.registry.find("authority", this.#nameOf(signing.id));
    const ended = signing && signing.notAfter <= this.#deps.clock.now();
    // Another server, or an operator, may have tainted or revoked it since.
    if (signing === undefined || ended === true || state?.object.state !== "active") {
      throw new BonafideError(
        SERVER_ERRORS,
        "AUTHORITY_NOT_READY",
        "no authority of this server can sign now",
        { retryAfterMs: LOOK_MS },
      );
    }
    return signing;
  }

  /**
   * Does all that is due, and says when to come again (epoch ms). Calls wait for each other.
   *
   * @throws what the lane and the key manager throw; nothing is half done, and the next call goes on
   */
  settle(): Promise<number> {
    const settled = this.#settled.then(() => this.#settle());
    this.#settled = settled.catch(() => undefined);
    return settled;
  }

  async #settle(): Promise<number> {
    this.#keys = await this.#deps.keys.list();
    this.#adoptSigning();
    for (let steps = 0; steps < STEPS_MAX; steps++) {
      const now = this.#deps.clock.now();
      const step = nextRotation(this.#known(), now, this.#options);
      switch (step.kind) {
        case "wait":
          return Math.min(step.until, now + LOOK_MS);
        case "prepare":
          await this.#make("prepared");
          break;
        case "prepare-and-activate":
          await this.#make("active");
          break;
        case "activate":
          await this.#activate(step.id);
          break;
        case "expire":
          await this.#rewrite("authority.expired", step.id, putAway);
          break;
        case "forget":
          await this.#rewrite("authority.forgotten", step.id, () => [
            { remove: { kind: "authority", naturalKey: this.#nameOf(step.id) } },
          ]);
      }
      this.#adoptSigning();
    }
    throw new Error("the rotation of authorities does not settle");
  }

  /** Settles again and again until the signal aborts. A failure is logged and tried again; it never ends the server. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#deps;
    while (!signal.aborted) {
      let until = clock.now() + LOOK_MS;
      try {
        until = await this.settle();
      } catch (error) {
        log({ level: "warn", event: "authority.rotation_failed", error });
      }
      await slept(clock, Math.max(until - clock.now(), 0), signal);
    }
  }

  #nameOf(id: string): string {
    return `${this.#kind.use}/${id}`;
  }

  /** All of the trust domain; those of other servers, which may be gone for ever, only to be put away at their end. */
  #known(): OwnAuthority[] {
    const own: OwnAuthority[] = [];
    for (const { object } of this.#deps.registry.all("authority")) {
      if (object.use !== this.#kind.use) continue;
      const isOurs = object.server === this.#options.serverId;
      own.push({
        id: object.id,
        state: object.state,
        notBefore: object.notBeforeMs,
        notAfter: object.notAfterMs,
        preparedAt: object.preparedAtMs,
        canSign: isOurs && this.#keyOf(object) !== undefined,
      });
    }
    return own;
  }

  #keyOf(authority: AuthorityObject): ManagedKey | undefined {
    return this.#keys.find(
      (key) => key.slot === authority.keyId && equalBytes(key.spki, authority.publicKey),
    );
  }

  async #make(state: "prepared" | "active"): Promise<void> {
    const { keys, clock } = this.#deps;
    const key = await keys.generate(this.#freeSlot(), "ec-p256");
    this.#keys = await keys.list();
    const now = clock.now();
    const authority: AuthorityObject = {
      kind: "authority",
      use: this.#kind.use,
      server: this.#options.serverId,
      publicKey: key.spki,
      ...this.#kind.make(keys.signer(key), now),
      state,
      preparedAtMs: now,
      activatedAtMs: state === "active" ? now : 0,
      keyId: key.slot,
    };
    await this.#submit(
      `authority.${state === "active" ? "activated" : state}`,
      authority.id,
      (view) => [...(state === "active" ? this.#retirements(view) : []), { put: authority }],
    );
  }

  async #activate(id: string): Promise<void> {
    await this.#submit("authority.activated", id, (view) => {
      const prepared = view.find("authority", this.#nameOf(id))?.object;
      if (prepared?.state !== "prepared") return [];
      const activatedAtMs = this.#deps.clock.now();
      return [...this.#retirements(view), { put: { ...prepared, state: "active", activatedAtMs } }];
    });
  }

  /** Every other active authority of this server becomes an old one. */
  #retirements(view: RegistryView): Change[] {
    const changes: Change[] = [];
    for (const { object } of view.all("authority")) {
      const isOurs = object.use === this.#kind.use && object.server === this.#options.serverId;
      if (isOurs && object.state === "active") changes.push({ put: { ...object, state: "old" } });
    }
    return changes;
  }

  async #rewrite(
    event: string,
    id: string,
    change: (authority: AuthorityObject) => readonly Change[],
  ): Promise<void> {
    await this.#submit(event, id, (view) => {
      const known = view.find("authority", this.#nameOf(id));
      return known === undefined ? [] : change(known.object);
    });
  }

  async #submit(
    event: string,
    id: string,
    decide: (view: RegistryView) => readonly Change[],
  ): Promise<void> {
    const actor = { server: this.#options.serverId, via: "rotation" };
    await this.#deps.lane.submit(decide, { actor, cause: event });
    this.#deps.log({ level: "info", event, fields: { authority: id, use: this.#kind.use } });
  }

  /** The slot that holds neither the active nor a prepared authority's key. */
  #freeSlot(): string {
    const taken = new Set<string>();
    for (const { object } of this.#deps.registry.all("authority")) {
      const isOurs = object.server === this.#options.serverId && object.use === this.#kind.use;
      const isInUse = object.state === "active" || object.state === "prepared";
      if (isOurs && isInUse && this.#keyOf(object) !== undefined) taken.add(object.keyId);
    }
    const { slots } = this.#kind;
    return slots.find((slot) => !taken.has(slot)) ?? slots[0];
  }

  #adoptSigning(): void {
    for (const { object } of this.#deps.registry.all("authority")) {
      const isOurs = object.server === this.#options.serverId && object.use === this.#kind.use;
      if (!isOurs || object.state !== "active" || object.id === this.#signing?.id) continue;
      const key = this.#keyOf(object);
      if (key === undefined) continue;
      this.#signing = this.#kind.open(object, this.#deps.keys.signer(key));
    }
  }
}

/** Out of the bundle; a tainted one for good, so that its end does not make it trusted again for recoveries. */
function putAway(authority: AuthorityObject): readonly Change[] {
  if (authority.state === "expired" || authority.state === "revoked") return [];
  const state = authority.state === "tainted" ? "revoked" : "expired";
  return [{ put: { ...authority, state } }];
}
