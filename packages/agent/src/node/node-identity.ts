import { createHash } from "node:crypto";
import { BonafideError, isBonafideError } from "@bonafide/errors";
import { backoffMs, type Clock, Latest, type Random } from "@bonafide/lifetime";
import { type GeneratedKey, generateKey } from "@bonafide/pki";
import type { X509SVID } from "@bonafide/proto/spire/api/types/x509svid_pb";
import { RpcError } from "@bonafide/rpc";
import {
  verifyX509Svid,
  type X509Context,
  x509ContextOf,
  type X509ContextSource,
  type X509Svid,
} from "@bonafide/spiffe";
import { allExpired } from "../core/bundle.ts";
import { planRotation, type RotationPlan } from "../core/rotation.ts";
import { decideStanding, type RefusalReason, type StandingStep } from "../core/standing.ts";
import type { StandingFact } from "../core/why/facts.ts";
import type { IdentityFile, StoredIdentity } from "../disk/identity-file.ts";
import type { JoinKey } from "../disk/join-key.ts";
import type { PinFile, Pins } from "../disk/pin-file.ts";
import { AGENT_ERRORS } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Picture } from "../picture/picture.ts";
import { parseAgentSvid } from "../server/parse-svid.ts";
import { refusalOf } from "../server/refusal.ts";
import type { ServerAddress } from "../server/server-link.ts";
import { verifySignedBundle } from "../server/signed-bundle.ts";
import { Wake } from "../wake.ts";
import { authorityKeyId } from "../wire/key-id.ts";
import { parseBundle } from "../wire/parse-bundle.ts";
import type { ClockWatch } from "./clock-watch.ts";
import { NodeCalls } from "./node-calls.ts";
import type { ServerLinks } from "./server-links.ts";

/** What a {@link NodeIdentity} works with. */
export interface NodeIdentityDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly picture: Picture;
  readonly identityFile: IdentityFile;
  readonly pinFile: PinFile;
  readonly joinKey: JoinKey;
  readonly clockWatch: ClockWatch;
}

/** Options of a {@link NodeIdentity}. */
export interface NodeIdentityOptions {
  readonly address: ServerAddress;
  /** For the first start; one that was spent is not tried again. */
  readonly joinToken: string | undefined;
}

type Step =
  | StandingStep
  | { readonly kind: "renew" }
  | { readonly kind: "bundle" }
  | { readonly kind: "pin" }
  /** Writing down an SVID that the disk had no room for. */
  | { readonly kind: "keep" };

type Next = Step | { readonly kind: "wait"; readonly ms: number };

const FORMER_IDS_MAX = 16;

const RETRY = { firstMs: 500, maxMs: 30_000 };

/** Pause after an SVID could not be written down, ms. */
const KEEP_RETRY_MS = 5000;

/**
 * The agent's own SVID: joins, renews at half life, comes back after expiry, and stops when only a person can help.
 *
 * A source for TLS: connections present the SVID of the moment and trust the bundle of the moment.
 */
export class NodeIdentity implements X509ContextSource {
  readonly #deps: NodeIdentityDeps;
  readonly #options: NodeIdentityOptions;
  readonly #context: Latest<X509Context>;
  readonly #wake: Wake;
  readonly #calls: NodeCalls;
  #plan: RotationPlan | undefined;
  #stored: StoredIdentity | undefined;
  #pins: Pins;
  #standing: StandingFact = { kind: "not_attested", detail: "it has not tried yet" };
  #refusal: RefusalReason | undefined;
  #serverUnverified = false;
  #canRecover = true;
  #canSignBundle = true;
  #pinWanted = false;
  /** When to try again to write down what is held, monotonic ms; undefined while the disk has it. */
  #keepAtMs: number | undefined;

  constructor(deps: NodeIdentityDeps, options: NodeIdentityOptions, pins: Pins | undefined) {
    this.#deps = deps;
    this.#options = options;
    const { picture, clock } = deps;
    this.#pins = pins ?? {
      trustDomain: picture.trustDomain,
      recoveryKey: undefined,
      spentToken: undefined,
      formerIds: [],
    };
    this.#context = new Latest(x509ContextOf(undefined, picture.ownBundles));
    this.#wake = new Wake(clock);
    this.#calls = new NodeCalls({
      clock,
      trustDomain: picture.trustDomain,
      address: options.address,
      source: this,
      onRefused: (reason) => {
        this.refused(reason);
      },
    });
    picture.onChange((change) => {
      if (!change.bundle) return;
      this.#publish();
      this.#wake.wake();
    });
  }

  context(): X509Context {
    return this.#context.value;
  }

  updates(options: { readonly signal?: AbortSignal } = {}): AsyncIterable<X509Context> {
    return this.#context.updates(options);
  }

  /** Connections under the agent's SVID. */
  get links(): ServerLinks {
    return this.#calls.links;
  }

  get standing(): StandingFact {
    return this.#standing;
  }

  get svid(): X509Svid | undefined {
    return this.#stored?.svid;
  }

  /** IDs that this node had before. */
  get formerIds(): readonly string[] {
    return this.#pins.formerIds;
  }

  get reattestable(): boolean {
    return this.#stored?.reattestable ?? false;
  }

  /** Whether there is an SVID to speak with now. */
  get isValid(): boolean {
    return this.#plan !== undefined && this.#deps.clock.monotonicMs() < this.#plan.expiresAtMs;
  }

  /** Takes the SVID that an earlier run left. */
  restore(stored: StoredIdentity): void {
    this.#take(stored);
    if (this.isValid) this.#standing = { kind: "good" };
  }

  /** Resolves once there is a valid SVID. @throws the signal's reason */
  async whenValid(signal: AbortSignal): Promise<void> {
    for await (const _ of this.#context.updates({ signal })) if (this.isValid) return;
    signal.throwIfAborted();
  }

  /** Told by whoever called the server and was refused as this agent. */
  refused(reason: RefusalReason): void {
    this.#refusal = reason;
    this.#wake.wake();
  }

  /** Told by whoever could not verify the server under the bundle. */
  serverUnverified(): void {
    this.#serverUnverified = true;
    this.#wake.wake();
  }

  /** Told after a call under the SVID succeeded. */
  confirmed(): void {
    this.#serverUnverified = false;
    if (this.isValid) this.#standing = { kind: "good" };
  }

  /** Told when the server was heard of: a good moment to learn its recovery key. */
  pinSoon(): void {
    if (this.#pins.recoveryKey !== undefined || !this.#canSignBundle) return;
    this.#pinWanted = true;
    this.#wake.wake();
  }

  /** Keeps the SVID usable until the signal aborts. @throws AGENT_STOPPED when only a person can help */
  async run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    for (;;) {
      signal.throwIfAborted();
      const next = this.#next();
      if (next.kind === "wait") {
        await this.#wake.wait(next.ms, signal);
        continue;
      }
      try {
        await this.#perform(next, signal);
        failures = 0;
      } catch (error) {
        signal.throwIfAborted();
        if (isBonafideError(error, "AGENT_STOPPED")) throw error;
        failures++;
        await this.#afterFailure(next, error, signal);
        const ms = backoffMs(failures, this.#deps.random.fraction(), RETRY);
        await this.#deps.clock.sleep(ms, { signal });
      }
    }
  }

  /** Ends all connections. Idempotent. */
  async close(): Promise<void> {
    await this.#calls.close();
    this.#context.close();
  }

  #next(): Next {
    const svid = this.svid;
    const plan = this.#plan;
    const now = this.#deps.clock.monotonicMs();
    const can = {
      reattest: this.#freshToken() !== undefined,
      recover: this.#canRecover && svid !== undefined,
    };
    if (this.#refusal !== undefined) return decideStanding(this.#refusal, can);
    if (this.#serverUnverified) return { kind: "bundle" };
    if (svid === undefined || plan === undefined) {
      // A spent token is tried once more: the server forgives the same key for some minutes.
      return { kind: "reattest" };
    }
    if (now >= plan.expiresAtMs) return decideStanding("AGENT_EXPIRED", can);
    // The monotonic clock stands still while a machine sleeps; renewing too early harms nobody.
    const isOver = this.#deps.clock.now() >= svid.notAfter;
    if (isOver || now >= plan.renewAtMs || !this.#hasGoodAuthority(svid)) return { kind: "renew" };
    if (this.#pinWanted) return { kind: "pin" };
    const { renewAtMs } = plan;
    if (this.#keepAtMs === undefined) return { kind: "wait", ms: renewAtMs - now };
    if (now >= this.#keepAtMs) return { kind: "keep" };
    return { kind: "wait", ms: Math.min(renewAtMs, this.#keepAtMs) - now };
  }

  async #perform(step: Step, signal: AbortSignal): Promise<void> {
    switch (step.kind) {
      case "reattest":
        await this.#join(signal);
        return;
      case "renew":
        await this.#renew(signal);
        return;
      case "recover":
        await this.#recover(signal);
        return;
      case "bundle":
        await this.#recoverBundle(signal);
        return;
      case "pin":
        await this.#pinRecoveryKey(signal);
        return;
      case "keep":
        if (this.#stored !== undefined) await this.#write(this.#stored);
        return;
      case "stop":
        await this.#stop(step);
        return;
      default:
        step satisfies never;
    }
  }

  #formerIdsWith(id: string | undefined): readonly string[] {
    const others = this.formerIds.filter((each) => each !== id);
    return id === undefined ? others : [...others, id].slice(-FORMER_IDS_MAX);
  }

  async #stop(step: StandingStep & { readonly kind: "stop" }): Promise<never> {
    if (step.deleteSvid) {
      this.#pins = { ...this.#pins, formerIds: this.#formerIdsWith(this.svid?.id) };
      await this.#deps.pinFile.write(this.#pins);
      await this.#deps.identityFile.remove();
    }
    switch (step.cause) {
      case "agent.banned":
        this.#standing = { kind: "banned", detail: "the server said so" };
        break;
      case "agent.evicted":
        this.#standing = { kind: "evicted" };
        break;
      case "agent.svid_expired":
        this.#standing = this.#expired();
        break;
      default:
        step.cause satisfies never;
    }
    throw stopped(step.cause);
  }

  #expired(): StandingFact {
    const expiredAt = new Date(this.svid?.notAfter ?? 0).toISOString();
    return { kind: "svid_expired", expiredAt, canReattest: this.#freshToken() !== undefined };
  }

  async #join(signal: AbortSignal): Promise<void> {
    const { joinToken: token } = this.#options;
    if (token === undefined) {
      this.#standing = { kind: "not_attested", detail: "it has no join token" };
      throw stopped("agent.not_attested");
    }
    const key = await this.#deps.joinKey.begin();
    const before = this.svid?.id;
    const { svid, reattestable } = await this.#calls.join(token, key, { signal });
    await this.#keep(svid, key, reattestable);
    const formerIds = this.#formerIdsWith(before).filter((id) => id !== this.svid?.id);
    this.#pins = { ...this.#pins, spentToken: digest(token), formerIds };
    await this.#deps.pinFile.write(this.#pins);
    // Without an SVID on disk the key is what a restart would join with again.
    if (this.#keepAtMs === undefined) await this.#deps.joinKey.end();
    this.#deps.log("info", "agent.joined", { id: this.svid?.id });
  }

  async #renew(signal: AbortSignal): Promise<void> {
    const key = generateKey("ec-p256");
    const svid = await this.#calls.renew(key, { signal });
    await this.#keep(svid, key, this.reattestable);
    this.#deps.log("info", "agent.renewed", { id: this.svid?.id, notAfter: this.svid?.notAfter });
  }

  async #recover(signal: AbortSignal): Promise<void> {
    const { picture, clock, log } = this.#deps;
    const expired = this.svid;
    if (expired === undefined) return;
    if (allExpired(picture.bundle.x509, clock.now())) await this.#recoverBundle(signal);
    const key = generateKey("ec-p256");
    const result = await this.#calls.recover(expired, key, { signal });
    if (result.bundle !== undefined) {
      picture.adoptBundle(parseBundle(result.bundle, picture.trustDomain));
    }
    await this.#keep(result.svid, key, result.reattestable);
    log("info", "agent.recovered", { id: this.svid?.id, expiredAt: expired.notAfter });
  }

  /** Takes a newer bundle from a server that nothing verifies, only under the pinned recovery key. */
  async #recoverBundle(signal: AbortSignal): Promise<void> {
    const { picture, log, clock } = this.#deps;
    const { recoveryKey } = this.#pins;
    this.#serverUnverified = false;
    if (recoveryKey === undefined || !this.#canSignBundle) {
      this.#standing = await this.#mismatch(signal);
      // While an authority is left, whoever answers may be an impostor, and the right server may come back.
      if (allExpired(picture.bundle.x509, clock.now())) throw stopped("agent.bundle_mismatch");
      return;
    }
    const answer = await this.#calls.fetchSignedBundleInsecure({ signal });
    const bundle = verifySignedBundle(answer, {
      trustDomain: picture.trustDomain,
      key: recoveryKey,
      sequence: picture.bundle.sequence,
    });
    picture.adoptBundle(bundle);
    log("warn", "agent.bundle_recovered", { sequence: String(bundle.sequence) });
  }

  /** Learns the recovery key from a verified server, once; a server without one is not asked again. */
  async #pinRecoveryKey(signal: AbortSignal): Promise<void> {
    this.#pinWanted = false;
    const { picture, log, pinFile } = this.#deps;
    try {
      const answer = await this.#calls.fetchSignedBundle({ signal });
      verifySignedBundle(answer, {
        trustDomain: picture.trustDomain,
        key: answer.recoveryKey,
        sequence: 0n,
      });
      this.#pins = { ...this.#pins, recoveryKey: answer.recoveryKey };
      await pinFile.write(this.#pins);
      log("info", "agent.recovery_key_pinned", {
        key: Buffer.from(answer.recoveryKey).toString("hex"),
      });
    } catch (cause) {
      signal.throwIfAborted();
      if (cause instanceof RpcError && cause.status === "unimplemented")
        this.#canSignBundle = false;
      else log("warn", "agent.recovery_key_missing", { cause });
    }
  }

  async #keep(
    svid: X509SVID | undefined,
    key: Pick<GeneratedKey, "privateKey">,
    reattestable: boolean,
  ): Promise<void> {
    const { clock, picture } = this.#deps;
    const receivedAt = clock.now();
    const parsed = parseAgentSvid(svid, {
      privateKey: key.privateKey,
      bundle: picture.bundle,
      now: receivedAt,
    });
    const stored: StoredIdentity = { svid: parsed, receivedAt, reattestable };
    await this.#write(stored);
    this.#refusal = undefined;
    this.#serverUnverified = false;
    this.#take(stored);
    this.#standing = { kind: "good" };
  }

  /** Writes an SVID down before it is used. A full disk costs the next start, and never the SVID. */
  async #write(stored: StoredIdentity): Promise<void> {
    const { clock, log, identityFile } = this.#deps;
    try {
      await identityFile.write(stored);
      if (this.#keepAtMs !== undefined) log("info", "identity.kept", { id: stored.svid.id });
      this.#keepAtMs = undefined;
    } catch (cause) {
      log("error", "identity.not_kept", { cause });
      this.#keepAtMs = clock.monotonicMs() + KEEP_RETRY_MS;
    }
  }

  #take(stored: StoredIdentity): void {
    const { clock, random } = this.#deps;
    this.#stored = stored;
    this.#plan = planRotation(stored.svid, {
      receivedAt: stored.receivedAt,
      now: clock.now(),
      monotonicMs: clock.monotonicMs(),
      fraction: random.fraction(),
    });
    this.#publish();
  }

  #publish(): void {
    this.#context.set(x509ContextOf(this.svid, this.#deps.picture.ownBundles));
  }

  #hasGoodAuthority(svid: X509Svid): boolean {
    const { picture, clock } = this.#deps;
    try {
      const chain = svid.chain.map(({ der }) => der);
      // Whether it is valid now is the plan's to say; here only who signed it counts.
      const now = Math.min(Math.max(clock.now(), svid.notBefore), svid.notAfter);
      const { path } = verifyX509Svid(chain, picture.ownBundles, { now });
      const authority = path.at(-1);
      return authority !== undefined && !picture.bundle.tainted.has(authorityKeyId(authority));
    } catch (error) {
      // Not proven by this bundle is the answer; anything else is a bug and not swallowed.
      if (isBonafideError(error)) return false;
      throw error;
    }
  }

  #freshToken(): string | undefined {
    const { joinToken } = this.#options;
    if (joinToken === undefined || digest(joinToken) === this.#pins.spentToken) return undefined;
    return joinToken;
  }

  async #mismatch(signal: AbortSignal): Promise<StandingFact> {
    const { picture } = this.#deps;
    return {
      kind: "bundle_mismatch",
      pinned: picture.bundle.x509.authorities.map((each) => authorityKeyId(each)).join(", "),
      presented: await this.#calls.presentedAuthorityInsecure({ signal }),
    };
  }

  /** Learns from a failed step what the next one is. @throws AGENT_STOPPED */
  async #afterFailure(step: Step, error: unknown, signal: AbortSignal): Promise<void> {
    const { log } = this.#deps;
    log("warn", `agent.${step.kind}_failed`, { cause: error });
    if (isBonafideError(error, "CLOCK_SKEWED")) {
      const { clock, clockWatch } = this.#deps;
      clockWatch.measure(clock.now(), Number(error.details["serverTime"]));
    }
    const refusal = refusalOf(error);
    if (refusal !== undefined) {
      this.#refusal = refusal;
      return;
    }
    if (isNotYetValid(error)) {
      const detail = "the server's certificate begins later than this node's clock says it is";
      if (this.svid === undefined) this.#standing = { kind: "not_attested", detail };
      return;
    }
    if (isUnverified(error)) {
      this.#standing = await this.#mismatch(signal);
      if (this.svid === undefined) throw stopped("agent.bundle_mismatch");
      this.#serverUnverified = true;
      return;
    }
    if (!(error instanceof RpcError)) return;
    if (step.kind === "recover" && isFinal(error)) {
      this.#canRecover = false;
      this.#standing = this.#expired();
      return;
    }
    if (step.kind === "bundle" && error.status === "unimplemented") this.#canSignBundle = false;
    if (step.kind === "reattest" && isFinal(error)) {
      const { joinToken } = this.#options;
      const used = joinToken !== undefined && digest(joinToken) === this.#pins.spentToken;
      await this.#deps.joinKey.end();
      this.#standing = used
        ? { kind: "token_used", detail: "by this agent, in an earlier run" }
        : { kind: "token_refused" };
      throw stopped(used ? "agent.token_used" : "agent.token_refused");
    }
  }
}

/** Whether asking again with the same words is no use. */
function isFinal(error: RpcError): boolean {
  return (
    error.status === "invalid_argument" ||
    error.status === "permission_denied" ||
    error.status === "failed_precondition" ||
    error.status === "unimplemented"
  );
}

/** Whether a peer would be proven by the same bundle a little later: clocks differ, and nobody is an impostor. */
export function isNotYetValid(error: unknown): boolean {
  return (
    isBonafideError(error, "X509_SVID_UNTRUSTED") &&
    error.details["reason"] === "PATH_NOT_YET_VALID"
  );
}

function isUnverified(error: unknown): boolean {
  return (
    isBonafideError(error, "X509_SVID_UNTRUSTED") ||
    isBonafideError(error, "BUNDLE_NOT_FOUND") ||
    isBonafideError(error, "X509_SVID_INVALID") ||
    isBonafideError(error, "PEER_NOT_AUTHORIZED")
  );
}

function digest(token: string): string {
  return createHash("sha256").update(token, "utf8").digest("hex");
}

function stopped(cause: string): BonafideError {
  return new BonafideError(AGENT_ERRORS, "AGENT_STOPPED", `the agent has to stop: ${cause}`, {
    details: { cause },
  });
}
