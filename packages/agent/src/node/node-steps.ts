import { BonafideError } from "@bonafide/errors";
import type { Clock, Log } from "@bonafide/lifetime";
import { type GeneratedKey, generateKey } from "@bonafide/pki";
import type { NodeProver } from "@bonafide/plugin-api";
import type { X509SVID } from "@bonafide/proto/spire/api/types/x509svid_pb";
import type { X509Svid } from "@bonafide/spiffe";
import { because } from "../cause-details.ts";
import type { StandingFacts, Step, StopCause, StopStep } from "../core/standing.ts";
import type { StandingFact } from "../core/why/facts.ts";
import type { IdentityFile, StoredIdentity } from "../disk/identity-file.ts";
import type { JoinKey } from "../disk/join-key.ts";
import { AGENT_ERRORS } from "../errors.ts";
import type { Picture } from "../picture/picture.ts";
import { parseAgentSvid } from "../server/parse-svid.ts";
import { verifySignedBundle } from "../server/signed-bundle.ts";
import { parseBundle } from "../wire/parse-bundle.ts";
import type { ClockWatch } from "./clock-watch.ts";
import type { NodeCalls } from "./node-calls.ts";
import type { NodePins } from "./node-pins.ts";
import type { NodeStanding } from "./node-standing.ts";
import type { OwnSvid } from "./own-svid.ts";
import { mismatchOf, standingAt } from "./standing-at.ts";

/** What {@link NodeSteps} work with. */
export interface NodeStepsDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly picture: Picture;
  readonly identityFile: IdentityFile;
  readonly pins: NodePins;
  readonly joinKey: JoinKey;
  readonly clockWatch: ClockWatch;
  readonly own: OwnSvid;
  readonly calls: NodeCalls;
  readonly standing: NodeStanding;
  /** For the first start; one that was spent is not tried again. */
  readonly joinToken: string | undefined;
  /** Goes before the token: it can be used again. */
  readonly prover: NodeProver | undefined;
}

/** The steps by which a node gets and keeps its SVID (ADR-0072), each from the call to what is kept of its answer. */
export class NodeSteps {
  readonly #deps: NodeStepsDeps;

  constructor(deps: NodeStepsDeps) {
    this.#deps = deps;
  }

  /** By what it can come in; of a join token, whether it came in by it already. */
  get token(): StandingFacts["token"] {
    const { joinToken, pins, prover } = this.#deps;
    if (prover !== undefined) return "proof";
    if (joinToken === undefined) return "none";
    return pins.isSpent(joinToken) ? "spent" : "fresh";
  }

  /** Whether its SVID came by a proof that it can give again. */
  get reattests(): boolean {
    const { own, prover } = this.#deps;
    return prover !== undefined && own.svid !== undefined && own.reattestable;
  }

  /** Takes one step. @throws AGENT_STOPPED when only a person can help, and what the step's call throws */
  perform(step: Step, signal: AbortSignal): Promise<void> {
    switch (step.kind) {
      case "reattest":
        return this.#deps.prover === undefined
          ? this.#join(signal)
          : this.#prove(this.#deps.prover, signal);
      case "renew":
        return this.#renew(signal);
      case "recover":
        return this.#recover(step, signal);
      case "bundle":
        return this.#takeSignedBundle(signal);
      case "mismatch":
        this.#deps.standing.knows({ serverUnverified: false });
        return this.saysMismatch(step, signal);
      case "pin":
        return this.#pinRecoveryKey(signal);
      case "keep":
        return this.#deps.own.writeAgain();
      case "stop":
        return this.#stop(step);
      default:
        return step satisfies never;
    }
  }

  /** Says by what the server does not fit. @throws AGENT_STOPPED */
  async saysMismatch({ stop }: { readonly stop: boolean }, signal: AbortSignal): Promise<void> {
    const { calls, picture, standing } = this.#deps;
    const fact = mismatchOf(picture.bundle.x509, await calls.probeServerInsecure({ signal }));
    standing.says(fact);
    if (!stop) return;
    const isOtherDomain = fact.kind === "trust_domain_mismatch";
    throw stopped(isOtherDomain ? "agent.trust_domain_mismatch" : "agent.bundle_mismatch");
  }

  /** The token is of no use, now or ever. @throws AGENT_STOPPED */
  async giveUpToken(cause: StopCause): Promise<never> {
    await this.#deps.joinKey.end();
    this.#deps.standing.says(this.standingAt(cause));
    throw stopped(cause);
  }

  /** What is said of an agent that ends, or would without a person's help. */
  standingAt(cause: StopCause): StandingFact {
    const { own, pins, standing } = this.#deps;
    const canReattest = this.token === "fresh" || this.token === "proof";
    const notAfter = own.svid?.notAfter ?? 0;
    return standingAt(cause, standing.fact, { notAfter, canReattest, lostId: pins.loss?.id });
  }

  async #stop({ cause, deleteSvid }: StopStep): Promise<never> {
    const { own, pins, identityFile, standing } = this.#deps;
    if (deleteSvid) {
      await pins.leaving(own.svid?.id, cause === "agent.banned" ? "banned" : "evicted");
      await identityFile.remove();
    }
    standing.says(this.standingAt(cause));
    throw stopped(cause);
  }

  async #join(signal: AbortSignal): Promise<void> {
    const { joinToken: token, joinKey, own, pins, calls, log } = this.#deps;
    if (token === undefined) throw stopped("agent.not_attested");
    const key = await joinKey.begin();
    const before = own.svid?.id;
    const { svid, reattestable } = await calls.join(token, key, { signal });
    const { id } = await this.#keep(svid, key, reattestable);
    await pins.joined(token, id, before);
    // Without an SVID on disk the key is what a restart would join with again.
    if (own.keepAtMs === undefined) await joinKey.end();
    log({ level: "info", event: "agent.joined", fields: { id } });
  }

  /** Comes in, or again, by a proof; no key has to outlive a crash for that. */
  async #prove(prover: NodeProver, signal: AbortSignal): Promise<void> {
    const { own, pins, calls, log } = this.#deps;
    const key = generateKey("ec-p256");
    const before = own.svid?.id;
    const { svid, reattestable } = await calls.prove(prover, key, { signal });
    const { id, notAfter } = await this.#keep(svid, key, reattestable);
    if (before !== id || pins.loss !== undefined) await pins.proved(id, before);
    const event = before === id ? "agent.reattested" : "agent.joined";
    log({ level: "info", event, fields: { id, notAfter } });
  }

  async #renew(signal: AbortSignal): Promise<void> {
    const { own, calls, log } = this.#deps;
    const key = generateKey("ec-p256");
    const svid = await calls.renew(key, { signal });
    const { id, notAfter } = await this.#keep(svid, key, own.reattestable);
    log({ level: "info", event: "agent.renewed", fields: { id, notAfter } });
  }

  async #recover(
    { bundleFirst }: Step & { readonly kind: "recover" },
    signal: AbortSignal,
  ): Promise<void> {
    const { picture, own, calls, log } = this.#deps;
    const expired = own.svid;
    if (expired === undefined) return;
    if (bundleFirst) await this.#takeSignedBundle(signal);
    const key = generateKey("ec-p256");
    const result = await calls.recover(expired, key, { signal });
    if (result.bundle !== undefined) {
      picture.adoptBundle(parseBundle(result.bundle, picture.trustDomain));
    }
    const { id } = await this.#keep(result.svid, key, result.reattestable);
    const fields = { id, expiredAt: expired.notAfter };
    log({ level: "info", event: "agent.recovered", fields });
  }

  /** Takes a newer bundle from a server that nothing verifies, only under the pinned recovery key. */
  async #takeSignedBundle(signal: AbortSignal): Promise<void> {
    const { picture, log, pins, calls, standing } = this.#deps;
    const { recoveryKey } = pins;
    standing.knows({ serverUnverified: false });
    if (recoveryKey === undefined) return;
    const signed = await calls.fetchSignedBundleInsecure({ signal });
    const bundle = verifySignedBundle(signed, {
      trustDomain: picture.trustDomain,
      key: recoveryKey,
      sequence: picture.bundle.sequence,
    });
    picture.adoptBundle(bundle);
    const fields = { sequence: String(bundle.sequence) };
    log({ level: "warn", event: "agent.bundle_recovered", fields });
  }

  /** Learns the recovery key from a verified server, once; a server without one is not asked again. */
  async #pinRecoveryKey(signal: AbortSignal): Promise<void> {
    const { log, pins, calls, standing } = this.#deps;
    standing.knows({ pinWanted: false });
    try {
      const key = await calls.fetchRecoveryKey({ signal });
      standing.knows({ canSignBundle: key !== undefined });
      if (key === undefined) return;
      await pins.pinRecoveryKey(key);
      const fields = { key: Buffer.from(key).toString("hex") };
      log({ level: "info", event: "agent.recovery_key_pinned", fields });
    } catch (error) {
      signal.throwIfAborted();
      log({ level: "warn", event: "agent.recovery_key_missing", error });
    }
  }

  async #keep(
    svid: X509SVID | undefined,
    key: Pick<GeneratedKey, "privateKey">,
    reattestable: boolean,
  ): Promise<X509Svid> {
    const { clock, picture, own, standing, clockWatch } = this.#deps;
    const receivedAt = clock.now();
    const { bundle } = picture;
    const parsed = parseAgentSvid(svid, { privateKey: key.privateKey, bundle, now: receivedAt });
    clockWatch.sawFresh(parsed);
    const stored: StoredIdentity = { svid: parsed, receivedAt, reattestable };
    await own.write(stored);
    standing.knows({ refusal: undefined, serverUnverified: false, canRecover: true });
    own.take(stored);
    standing.says({ kind: "good" });
    return parsed;
  }
}

function stopped(cause: StopCause): BonafideError {
  return new BonafideError(AGENT_ERRORS, "AGENT_STOPPED", `the agent has to stop: ${cause}`, {
    details: because(cause),
  });
}
