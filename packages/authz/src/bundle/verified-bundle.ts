import {
  type Envelope,
  type EnvelopeSignature,
  parseEnvelope,
  signedBytes,
} from "../core/bundle/envelope.ts";
import { checkFreshness, type FreshnessOptions } from "../core/bundle/freshness.ts";
import { type Manifest, parseManifest } from "../core/bundle/manifest.ts";
import { refuse } from "../core/bundle/refuse.ts";
import {
  parseGuardrails,
  parsePrincipals,
  parseService,
  serviceSliceName,
} from "../core/bundle/slices.ts";
import { type CompiledPolicies, compilePolicies } from "../core/engine/compile.ts";
import { type EntityStore } from "../core/engine/entities.ts";
import { type AccessModel, modelEntities } from "../core/model/model.ts";
import { RouteTable } from "../core/model/route-table.ts";
import type { BundleRef } from "../core/record/decision-record.ts";
import { type PolicyTrust, verifyByPolicyKey } from "./policy-keys.ts";
import { sha256Hex } from "./sha256.ts";

/** Options of {@link verifyBundle}. */
export interface VerifyBundleOptions extends FreshnessOptions {
  readonly trust: PolicyTrust;
  /** The services to be enforced; default all that the bundle has. */
  readonly services?: readonly string[];
}

const ownKey: unique symbol = Symbol("VerifiedBundle");

interface Parts {
  readonly ref: BundleRef;
  readonly manifest: Manifest;
  readonly signedBy: readonly string[];
  readonly model: AccessModel;
  readonly policies: ReadonlyMap<string, unknown>;
  readonly shadowPolicies: ReadonlyMap<string, unknown>;
}

/** A bundle that enough policy keys have signed, ready to decide. There is no other kind that decides. */
export class VerifiedBundle {
  /** Serial and digest: how records name it. */
  readonly ref: BundleRef;
  readonly manifest: Manifest;
  /** Ids of the trusted keys whose signatures are good. */
  readonly signedBy: readonly string[];
  /** Who and what there is, of the services that were asked for. */
  readonly model: AccessModel;
  /** Policies in Cedar's JSON policy form by id, as they were signed; for replay. */
  readonly policies: ReadonlyMap<string, unknown>;
  readonly compiled: CompiledPolicies;
  /** Policies that are evaluated and never enforced; `undefined` if there are none. */
  readonly shadow: CompiledPolicies | undefined;
  readonly entities: EntityStore;
  readonly #routes: ReadonlyMap<string, RouteTable>;

  private constructor(key: typeof ownKey, parts: Parts) {
    // `private` is gone at run time.
    if (key !== ownKey) throw new TypeError("a VerifiedBundle comes from verifyBundle only");
    this.ref = parts.ref;
    this.manifest = parts.manifest;
    this.signedBy = parts.signedBy;
    this.model = parts.model;
    this.policies = parts.policies;
    this.compiled = compilePolicies(parts.policies);
    const { shadowPolicies } = parts;
    this.shadow = shadowPolicies.size === 0 ? undefined : compilePolicies(shadowPolicies);
    this.entities = modelEntities(parts.model);
    this.#routes = new Map(
      parts.model.services.map((service) => [service.name, new RouteTable(service)]),
    );
  }

  /** The declared routes of a service; `undefined` if the bundle was not opened for it. */
  routes(service: string): RouteTable | undefined {
    return this.#routes.get(service);
  }

  /**
   * Verifies a bundle file and opens it. Nothing of a part is read before it is known to be what was signed.
   *
   * @throws BUNDLE_MALFORMED, BUNDLE_TOO_LARGE, BUNDLE_UNSUPPORTED
   * @throws BUNDLE_UNTRUSTED  fewer good signatures than the threshold, a wrong one by a trusted key, a changed slice
   * @throws BUNDLE_MISMATCH, BUNDLE_ROLLED_BACK, BUNDLE_NOT_YET_VALID, BUNDLE_EXPIRED
   * @throws POLICY_UNSUPPORTED, POLICY_MALFORMED, POLICY_TOO_LARGE, MODEL_INVALID, ENTITY_INVALID  signed, and not to be
   *   enforced here
   */
  static async verify(file: Uint8Array, options: VerifyBundleOptions): Promise<VerifiedBundle> {
    const envelope = parseEnvelope(file);
    const signedBy = await goodSignatures(envelope, options.trust);
    const digest = await sha256Hex(envelope.manifest);
    const manifest = parseManifest(envelope.manifest);
    checkFreshness(manifest, digest, options);
    const slices = await promisedSlices(envelope, manifest);
    const ref = { serial: manifest.serial, digest };
    return new VerifiedBundle(ownKey, {
      ref,
      manifest,
      signedBy,
      ...contentOf(slices, options.services ?? servicesIn(slices)),
    });
  }
}

/** Verifies a bundle file and opens it. @see VerifiedBundle.verify */
export function verifyBundle(
  file: Uint8Array,
  options: VerifyBundleOptions,
): Promise<VerifiedBundle> {
  return VerifiedBundle.verify(file, options);
}

/** A bundle that decides nothing any more: records are replayed by it. */
export interface RecordedBundle extends Omit<Parts, "shadowPolicies"> {
  readonly compiled: CompiledPolicies;
  readonly entities: EntityStore;
}

/**
 * Opens a bundle to replay what it once decided, whether it is good now or not: of any trust domain, expired or not. The
 * record names it by its digest; compare it.
 *
 * @throws BUNDLE_MALFORMED, BUNDLE_TOO_LARGE, BUNDLE_UNSUPPORTED, BUNDLE_UNTRUSTED, and those of policies and entities
 */
export async function openRecordedBundle(
  file: Uint8Array,
  { trust }: Pick<VerifyBundleOptions, "trust">,
): Promise<RecordedBundle> {
  const envelope = parseEnvelope(file);
  const signedBy = await goodSignatures(envelope, trust);
  const digest = await sha256Hex(envelope.manifest);
  const manifest = parseManifest(envelope.manifest);
  const slices = await promisedSlices(envelope, manifest);
  const { model, policies } = contentOf(slices, servicesIn(slices));
  return {
    ref: { serial: manifest.serial, digest },
    manifest,
    signedBy,
    model,
    policies,
    compiled: compilePolicies(policies),
    entities: modelEntities(model),
  };
}

/** Signatures by unknown keys do not count; a wrong one by a trusted key means that somebody is at work. */
async function goodSignatures(
  { signatures, manifest }: Envelope,
  { keys, threshold }: PolicyTrust,
): Promise<readonly string[]> {
  const message = signedBytes(manifest);
  const good = new Set<string>();
  for (const { keyId, signature } of signatures satisfies readonly EnvelopeSignature[]) {
    const key = keys.get(keyId);
    if (key === undefined) continue;
    if (!(await verifyByPolicyKey(key, message, signature))) {
      throw refuse("BUNDLE_UNTRUSTED", `the signature by ${keyId.slice(0, 16)} is wrong`);
    }
    good.add(keyId);
  }
  if (good.size >= threshold) return [...good];
  const message2 = `${good.size} of the ${threshold} signatures that are wanted`;
  throw refuse("BUNDLE_UNTRUSTED", `the bundle has ${message2}`, {
    signatures: String(good.size),
    threshold: String(threshold),
  });
}

/** Every slice of the file, also those that are not wanted: one that was changed means that somebody is at work. */
async function promisedSlices(
  { slices }: Envelope,
  manifest: Manifest,
): Promise<Envelope["slices"]> {
  for (const [name, bytes] of slices) {
    const promised = manifest.slices.get(name);
    const isPromised =
      promised?.bytes === bytes.length && promised.sha256 === (await sha256Hex(bytes));
    if (!isPromised) {
      const message = `slice ${name} is not what was signed`;
      throw refuse("BUNDLE_UNTRUSTED", message, { slice: name });
    }
  }
  return slices;
}

function contentOf(
  slices: Envelope["slices"],
  services: readonly string[],
): Pick<Parts, "model" | "policies" | "shadowPolicies"> {
  const principals = parsePrincipals(needed(slices, "principals"));
  const guardrails = parseGuardrails(needed(slices, "guardrails"));
  const parts = services.map((name) => parseService(needed(slices, serviceSliceName(name))));
  const model = { ...principals, services: parts.map(({ service }) => service) };
  // A policy about several services stands in the slice of each; the ids are the same and so is the policy.
  const merged = (of: "enforced" | "shadow"): ReadonlyMap<string, unknown> =>
    new Map([...guardrails[of], ...parts.flatMap((part) => [...part[of]])]);
  return { model, policies: merged("enforced"), shadowPolicies: merged("shadow") };
}

function servicesIn(slices: Envelope["slices"]): readonly string[] {
  return [...slices.keys()].flatMap((name) => /^service\/(.*)$/.exec(name)?.[1] ?? []);
}

function needed(slices: Envelope["slices"], name: string): Uint8Array {
  const slice = slices.get(name);
  if (slice !== undefined) return slice;
  throw refuse("BUNDLE_MISMATCH", `the bundle has no slice ${name}`, { slice: name });
}
