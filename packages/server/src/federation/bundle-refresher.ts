import { BonafideError, isBonafideError } from "@bonafide/errors";
import type { BundleObject, FederationObject } from "@bonafide/ledger";
import { type Clock, type Log, type Random, slept } from "@bonafide/lifetime";
import {
  parseSpiffeBundle,
  parseSpiffeId,
  parseTrustDomainName,
  refreshAfterSeconds,
  sharedKeys,
  type SpiffeBundle,
  trustDomainOf,
} from "@bonafide/spiffe";
import type { BundleCache } from "../authority/bundle-cache.ts";
import { isSameRelationship, proposeFetchedBundle } from "../core/propose-federation.ts";
import { SERVER_ERRORS } from "../errors.ts";
import type { Registry } from "../lane/registry.ts";
import type { Lane } from "../lane/write-lane.ts";
import { LIMITS } from "../limits.ts";
import type { Endpoint, FetchDocument } from "./fetch-document.ts";
import { bundleObjectOf } from "./foreign-bundle.ts";

/** What {@link BundleRefresher} works with. */
export interface BundleRefresherDeps {
  readonly registry: Registry;
  readonly lane: Lane;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly bundles: BundleCache;
  readonly fetchDocument: FetchDocument;
  readonly serverId: string;
}

/** When a relationship is next looked at. */
interface Schedule {
  readonly relationship: FederationObject;
  /** On the monotonic clock. */
  dueAtMs: number;
  failures: number;
}

/** Most refresh intervals between two tries at an endpoint that fails: keys are published three ahead of their use. */
const INTERVALS_MAX = 3;

/**
 * Keeps other trust domains' bundles fresh. What cannot be fetched, proven or read leaves the last good bundle in force
 * and says so; the next try waits for the next interval (FED-35), with up to three between tries that fail.
 */
export class BundleRefresher {
  readonly #deps: BundleRefresherDeps;
  readonly #schedules = new Map<string, Schedule>();
  readonly #running = new Map<string, Promise<void>>();
  readonly #ending = new AbortController();
  #wake: () => void = () => {};

  constructor(deps: BundleRefresherDeps) {
    this.#deps = deps;
  }

  /** Fetches each bundle when its time comes, until the signal aborts; then waits for what is under way. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, registry } = this.#deps;
    const end = (): void => this.#ending.abort();
    signal.addEventListener("abort", end, { once: true });
    if (signal.aborted) end();
    const stop = registry.onAdopted((changes) => {
      if (changes.some(({ kind }) => kind === "federation")) this.#wake();
    });
    try {
      while (!signal.aborted) {
        this.#follow();
        const waitMs = this.#startDue();
        const woken = new AbortController();
        this.#wake = () => woken.abort();
        await slept(clock, waitMs, AbortSignal.any([signal, woken.signal]));
      }
    } finally {
      stop();
      await Promise.allSettled(this.#running.values());
    }
  }

  /**
   * Fetches a bundle now.
   *
   * @throws FEDERATION_NOT_FOUND, BUNDLE_FETCH_FAILED, BUNDLE_SEQUENCE_FELL, FEDERATION_BUNDLE_MISSING,
   *   BUNDLE_MALFORMED, BUNDLE_INVALID, and what the lane throws; the bundle that was here stays
   */
  async refresh(trustDomain: string): Promise<void> {
    if (this.#deps.registry.find("federation", trustDomain) === undefined) {
      throw new BonafideError(
        SERVER_ERRORS,
        "FEDERATION_NOT_FOUND",
        `there is no relationship with ${trustDomain}`,
      );
    }
    this.#follow();
    const schedule = this.#schedules.get(trustDomain);
    if (schedule !== undefined) await this.#begin(schedule);
  }

  /** Brings the schedules up to date with the relationships; a new or changed one is due at once. */
  #follow(): void {
    const { registry, clock } = this.#deps;
    const gone = new Set(this.#schedules.keys());
    for (const { object } of registry.all("federation")) {
      const { trustDomain } = object;
      gone.delete(trustDomain);
      const known = this.#schedules.get(trustDomain)?.relationship;
      if (known !== undefined && isSameRelationship(known, object)) continue;
      const schedule = { relationship: object, dueAtMs: clock.monotonicMs(), failures: 0 };
      this.#schedules.set(trustDomain, schedule);
    }
    for (const trustDomain of gone) this.#schedules.delete(trustDomain);
  }

  /** @returns how long nothing is due, ms */
  #startDue(): number {
    const now = this.#deps.clock.monotonicMs();
    let waitMs = LONGEST_MS;
    for (const schedule of this.#schedules.values()) {
      if (this.#running.has(schedule.relationship.trustDomain)) continue;
      if (schedule.dueAtMs > now) waitMs = Math.min(waitMs, schedule.dueAtMs - now);
      else if (this.#running.size < LIMITS.fetchesAtOnce) {
        // Its failure is in the log and in the schedule.
        this.#begin(schedule).catch(() => {});
      }
    }
    return waitMs;
  }

  /** The fetch that is under way, or a new one. */
  #begin(schedule: Schedule): Promise<void> {
    const { trustDomain } = schedule.relationship;
    const running = this.#running.get(trustDomain);
    if (running !== undefined) return running;
    const started = this.#fetch(schedule).finally(() => {
      this.#running.delete(trustDomain);
      this.#wake();
    });
    this.#running.set(trustDomain, started);
    return started;
  }

  async #fetch(schedule: Schedule): Promise<void> {
    const { clock, lane, log, serverId } = this.#deps;
    const { relationship } = schedule;
    const { trustDomain, bundleEndpointUrl: url, profile } = relationship;
    const facts = { trustDomain, url, profile };
    try {
      const bundle = await this.#document(relationship);
      const object = bundleObjectOf(bundle, url);
      const { changes } = await lane.submit(proposeFetchedBundle(relationship, object), {
        actor: { server: serverId, via: "federation" },
        cause: "fetched",
      });
      schedule.failures = 0;
      schedule.dueAtMs = clock.monotonicMs() + refreshAfterSeconds(bundle) * 1000;
      const result = changes.length > 0 ? "changed" : "unchanged";
      const sequence = String(object.sequenceNumber);
      log({ level: "info", event: "federation.fetched", fields: { ...facts, result, sequence } });
      if (changes.length > 0) this.#sayShared(object);
    } catch (error) {
      if (!this.#ending.signal.aborted) this.#failed(schedule, facts, error);
      throw error;
    }
  }

  async #document(relationship: FederationObject): Promise<SpiffeBundle> {
    const trustDomain = parseTrustDomainName(relationship.trustDomain);
    const endpoint = this.#endpoint(relationship);
    const text = await this.#deps.fetchDocument(endpoint, this.#ending.signal);
    return parseSpiffeBundle(trustDomain, text);
  }

  /** What the endpoint has to prove now: by the newest bundle of its trust domain, and by no other (FED-33). */
  #endpoint({ bundleEndpointUrl, profile, endpointSpiffeId }: FederationObject): Endpoint {
    const url = new URL(bundleEndpointUrl);
    if (profile === "https_web") return { url, proof: { kind: "https_web" } };
    const id = parseSpiffeId(endpointSpiffeId);
    const prover = trustDomainOf(id);
    const bundle = this.#deps.bundles.all().get(prover);
    if (bundle === undefined) {
      throw new BonafideError(
        SERVER_ERRORS,
        "FEDERATION_BUNDLE_MISSING",
        `the endpoint proves itself by a bundle of ${prover}, which is not here`,
      );
    }
    return { url, proof: { kind: "https_spiffe", id, bundles: new Map([[prover, bundle]]) } };
  }

  #failed(schedule: Schedule, facts: Readonly<Record<string, string>>, error: unknown): void {
    const { bundles, clock, log, random } = this.#deps;
    schedule.failures += 1;
    const held = bundles.foreign(schedule.relationship.trustDomain);
    const intervalMs = refreshAfterSeconds(held ?? { refreshHintSeconds: undefined }) * 1000;
    const waitMs =
      intervalMs * Math.min(schedule.failures, INTERVALS_MAX) * (1 + random.fraction() / 10);
    schedule.dueAtMs = clock.monotonicMs() + waitMs;
    const { failures } = schedule;
    const keeps = held === undefined ? "nothing" : "the last good bundle";
    const result = isBonafideError(error) ? error.code : "failed";
    const fields = { ...facts, result, keeps, failures, nextMs: Math.round(waitMs) };
    log({ level: "warn", event: "federation.fetch_failed", fields, error });
  }

  /** A key of two trust domains is a mistake of one of them (BND-01); the verdict on each chain stays per domain. */
  #sayShared({ trustDomain }: BundleObject): void {
    const { bundles, log } = this.#deps;
    for (const { trustDomains } of sharedKeys(bundles.all())) {
      if (!trustDomains.some((name) => name === trustDomain)) continue;
      const fields = { trustDomain, with: trustDomains.join(" ") };
      log({ level: "warn", event: "federation.key_shared", fields });
    }
  }
}

/** Longest sleep without anything due, ms: something else will wake it. */
const LONGEST_MS = 86_400_000;
