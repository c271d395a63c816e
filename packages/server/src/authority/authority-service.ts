import { BonafideError } from "@bonafide/errors";
import { type Actor, type AuthorityObject, equalBytes } from "@bonafide/ledger";
import { type Clock, type Log, slept } from "@bonafide/lifetime";
import type { CanSignInProcess, KeyManager, ManagedKey } from "@bonafide/plugin-api";
import {
  activation,
  assertPrepared,
  authoritiesOf,
  type AuthorityHolder,
  authorityName,
  preparation,
  removal,
  revocation,
  tainting,
} from "../core/authority-changes.ts";
import { nextRotation, type OwnAuthority } from "../core/authority-rotation.ts";
import { SERVER_ERRORS } from "../errors.ts";
import type { Change, Decide, RegistryView } from "../lane/registry-view.ts";
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
  /** How long an authority is published before it may be made to sign ahead of the schedule, ms. */
  readonly forcedSpreadMs: number;
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
  #rest = new AbortController();

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
    // The registry may have adopted an activation whose caller was not told yet.
    if (!this.#isActive()) this.#adoptSigning();
    const signing = this.#signing;
    const ended = signing && signing.notAfter <= this.#deps.clock.now();
    // Another server, or an operator, may have tainted or revoked it since.
    if (signing === undefined || ended === true || !this.#isActive()) {
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
    return this.#inTurn(() => this.#settle());
  }

  /** This server's authorities of this use, newest activation first. */
  own(): readonly AuthorityObject[] {
    return authoritiesOf(this.#deps.registry, this.#holder);
  }

  /**
   * Makes and publishes the next authority ahead of the schedule; one that is prepared already makes room.
   *
   * @throws AUTHORITIES_FULL, and what the lane and the key manager throw
   */
  prepare(by: Actor): Promise<AuthorityObject> {
    return this.#inTurn(async () => {
      this.#keys = await this.#deps.keys.list();
      return this.#make("prepared", by);
    });
  }

  /**
   * Lets the prepared authority sign from now on. Waits until it has been published for as long as everybody needs to
   * learn of it.
   *
   * @throws AUTHORITY_NOT_PREPARED, AUTHORITY_NOT_FOUND, AUTHORITY_STATE_WRONG, and what the lane throws
   */
  async activate(
    id: string,
    by: Actor,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<AuthorityObject> {
    const { registry, clock } = this.#deps;
    const { forcedSpreadMs: spreadMs } = this.#options;
    const { preparedAtMs } = assertPrepared(registry, this.#holder, id);
    const leftMs = Math.min(preparedAtMs + spreadMs - clock.now(), spreadMs);
    if (leftMs > 0) await clock.sleep(leftMs, options);
    return this.#inTurn(async () => {
      await this.#activate(id, by, spreadMs);
      return this.#written(id);
    });
  }

  /**
   * Tells everybody to move away from an old authority.
   *
   * @throws AUTHORITY_NOT_FOUND, AUTHORITY_STATE_WRONG, and what the lane throws
   */
  async taint(id: string, by: Actor): Promise<AuthorityObject> {
    await this.#submit("authority.tainted", id, tainting(this.#kind.use, id), by);
    return this.#written(id);
  }

  /**
   * Takes a tainted authority out of the bundle.
   *
   * @throws AUTHORITY_NOT_FOUND, AUTHORITY_STATE_WRONG, AUTHORITY_NOT_TAINTED, and what the lane throws
   */
  async revoke(id: string, by: Actor): Promise<AuthorityObject> {
    await this.#submit("authority.revoked", id, revocation(this.#kind.use, id), by);
    return this.#written(id);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#settled.then(work);
    this.#settled = done.catch(() => undefined);
    return done;
  }

  async #settle(): Promise<number> {
    this.#keys = await this.#deps.keys.list();
    this.#adoptSigning();
    await this.#announce();
    for (let steps = 0; steps < STEPS_MAX; steps++) {
      const now = this.#deps.clock.now();
      const step = nextRotation(this.#known(), now, this.#options);
      switch (step.kind) {
        case "wait":
          return Math.min(step.until, now + LOOK_MS);
        case "prepare":
          await this.#make("prepared");
          await this.#announce();
          break;
        case "prepare-and-activate":
          // Where others have to be told first, a prepared one is activated by the next step.
          await this.#make(this.#kind.announce === undefined ? "active" : "prepared");
          break;
        case "activate":
          await this.#activate(step.id, this.#rotation, 0);
          break;
        case "expire":
          await this.#rewrite("authority.expired", step.id, putAway);
          break;
        case "forget":
          await this.#rewrite("authority.forgotten", step.id, (known) => [removal(known)]);
          break;
        case "discard":
          await this.#rewrite("authority.discarded", step.id, (known) =>
            known.state === "prepared" ? [removal(known)] : [],
          );
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
      // Made first: what changes while it settles makes it look again.
      this.#rest = new AbortController();
      try {
        until = await this.settle();
      } catch (error) {
        log({ level: "warn", event: "authority.rotation_failed", error });
      }
      const ending = AbortSignal.any([signal, this.#rest.signal]);
      await slept(clock, Math.max(until - clock.now(), 0), ending);
    }
  }

  /** Has {@link run} look again at once: something that it goes by has changed. */
  wake(): void {
    this.#rest.abort();
  }

  get #holder(): AuthorityHolder {
    return { use: this.#kind.use, server: this.#options.serverId };
  }

  get #rotation(): Actor {
    return { server: this.#options.serverId, via: "rotation" };
  }

  #find(id: string): AuthorityObject | undefined {
    return this.#deps.registry.find("authority", authorityName(this.#kind.use, id))?.object;
  }

  #written(id: string): AuthorityObject {
    const authority = this.#find(id);
    if (authority !== undefined) return authority;
    throw new BonafideError(SERVER_ERRORS, "AUTHORITY_NOT_FOUND", "the authority is gone again");
  }

  #isActive(): boolean {
    return this.#signing !== undefined && this.#find(this.#signing.id)?.state === "active";
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
        notAfter: object.notAfterMs || Infinity,
        preparedAt: object.preparedAtMs,
        isOurs,
        canSign: isOurs && this.#keyOf(object) !== undefined,
        isToReplace: isOurs && this.#kind.isToReplace(object),
      });
    }
    return own;
  }

  #keyOf(authority: AuthorityObject): ManagedKey | undefined {
    return this.#keys.find(
      (key) => key.slot === authority.keyId && equalBytes(key.spki, authority.publicKey),
    );
  }

  async #make(state: "prepared" | "active", by?: Actor): Promise<AuthorityObject> {
    const { keys, clock } = this.#deps;
    const key = await keys.generate(this.#freeSlot(), "ec-p256");
    this.#keys = await keys.list();
    const now = clock.now();
    const authority: AuthorityObject = {
      kind: "authority",
      ...this.#holder,
      publicKey: key.spki,
      ...(await this.#kind.make(keys.signer(key), now)),
      state,
      preparedAtMs: now,
      activatedAtMs: state === "active" ? now : 0,
      keyId: key.slot,
    };
    const event = `authority.${state === "active" ? "activated" : state}`;
    const decide = preparation(authority, { isForced: by !== undefined });
    await this.#submit(event, authority.id, decide, by ?? this.#rotation);
    return authority;
  }

  /** Tells those above early of what will sign, and again of what does. */
  async #announce(): Promise<void> {
    const { announce } = this.#kind;
    if (announce === undefined) return;
    for (const authority of this.own()) {
      if (authority.state !== "active" && authority.state !== "prepared") continue;
      try {
        await announce(authority);
      } catch (error) {
        this.#deps.log({ level: "warn", event: "authority.not_announced", error });
      }
    }
  }

  async #activate(id: string, by: Actor, spreadMs: number): Promise<void> {
    await this.#kind.announce?.(assertPrepared(this.#deps.registry, this.#holder, id));
    const now = this.#deps.clock.now();
    const decide = activation(this.#holder, id, { now, spreadMs });
    await this.#submit("authority.activated", id, decide, by);
    this.#adoptSigning();
  }

  async #rewrite(
    event: string,
    id: string,
    change: (authority: AuthorityObject) => readonly Change[],
  ): Promise<void> {
    const decide: Decide = (view) => {
      const known = view.find("authority", authorityName(this.#kind.use, id));
      return known === undefined ? [] : change(known.object);
    };
    await this.#submit(event, id, decide, this.#rotation);
  }

  async #submit(event: string, id: string, decide: Decide, actor: Actor): Promise<void> {
    const { changes } = await this.#deps.lane.submit(decide, { actor, cause: event });
    if (changes.length === 0) return;
    this.#deps.log({ level: "info", event, fields: { authority: id, use: this.#kind.use } });
  }

  /** A slot that holds neither the active nor the prepared authority's key. */
  #freeSlot(): string {
    const taken = new Set<string>();
    for (const authority of this.own()) {
      const isInUse = authority.state === "active" || authority.state === "prepared";
      if (isInUse && this.#keyOf(authority) !== undefined) taken.add(authority.keyId);
    }
    const { slots } = this.#kind;
    return slots.find((slot) => !taken.has(slot)) ?? slots[0];
  }

  #adoptSigning(): void {
    for (const authority of this.own()) {
      if (authority.state !== "active" || authority.id === this.#signing?.id) continue;
      const key = this.#keyOf(authority);
      if (key === undefined) continue;
      this.#signing = this.#kind.open(authority, this.#deps.keys.signer(key));
    }
  }
}

/** Out of the bundle; a tainted one for good, so that its end does not make it trusted again for recoveries. */
function putAway(authority: AuthorityObject): readonly Change[] {
  if (authority.state === "expired" || authority.state === "revoked") return [];
  const state = authority.state === "tainted" ? "revoked" : "expired";
  return [{ put: { ...authority, state } }];
}
