import { formatEnvelope, parseEnvelope, signedBytes } from "../core/bundle/envelope.ts";
import { ENGINE_VERSION, formatManifest, type SliceDigest } from "../core/bundle/manifest.ts";
import { placePolicies } from "../core/bundle/place-policies.ts";
import { refuse } from "../core/bundle/refuse.ts";
import { serviceSliceName, sliceFolder } from "../core/bundle/slices.ts";
import { compilePolicies } from "../core/engine/compile.ts";
import { checkOwnership } from "../core/folder/check-ownership.ts";
import { policiesOf } from "../core/folder/folder.ts";
import type { ReadFolder } from "../core/folder/read-folder.ts";
import { BASE_SCHEMA } from "../core/model/schema.ts";
import { BUNDLE_LIFE_MS_MAX } from "../limits.ts";
import type { PolicySigner } from "./policy-keys.ts";
import { sha256Hex } from "./sha256.ts";

/** What a bundle says besides the folder. */
export interface BuildBundleOptions {
  /** Above that of every bundle before. */
  readonly serial: number;
  /** Epoch ms. */
  readonly issued: number;
  /** Epoch ms, at most 400 days after `issued`. */
  readonly expires: number;
  /** SHA-256 of the manifest before, hex. */
  readonly previous?: string;
  /** The revision that the folder was read at. */
  readonly commit?: string;
  /** The schema that policies were validated against; default `BASE_SCHEMA`. */
  readonly schema?: string;
}

const ownKey: unique symbol = Symbol("UnsignedBundle");

/** A bundle that nobody has signed. It has no bytes: all that can be done with it is to sign it. */
export class UnsignedBundle {
  readonly #manifest: Uint8Array<ArrayBuffer>;
  readonly #slices: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
  /** SHA-256 of the manifest, hex: what signers compare. */
  readonly digest: string;

  /** For {@link buildBundle}. */
  constructor(
    key: typeof ownKey,
    manifest: Uint8Array<ArrayBuffer>,
    slices: ReadonlyMap<string, Uint8Array<ArrayBuffer>>,
    digest: string,
  ) {
    if (key !== ownKey) throw new TypeError("an UnsignedBundle comes from buildBundle only");
    this.#manifest = manifest;
    this.#slices = slices;
    this.digest = digest;
  }

  /** The file of the bundle, with a first signature. */
  async sign(signer: PolicySigner): Promise<Uint8Array<ArrayBuffer>> {
    const signature = await signer.sign(signedBytes(this.#manifest));
    return formatEnvelope({
      signatures: [{ keyId: signer.key.id, signature }],
      manifest: this.#manifest,
      slices: this.#slices,
    });
  }
}

/**
 * Builds a bundle of a folder: every policy compiled, cut into slices by service, in canonical bytes. Equal input gives
 * equal bytes, so that several people can build and compare before they sign.
 *
 * Whether policies fit the schema is for the caller to check before, by Cedar's validator.
 *
 * @throws FOLDER_REFUSED      the folder has findings; `details.file`, `line`, `reason` of the first
 * @throws POLICY_UNSUPPORTED, POLICY_MALFORMED, POLICY_TOO_LARGE, BUNDLE_MALFORMED  it could not be enforced as it stands
 */
export async function buildBundle(
  { folder, findings }: ReadFolder,
  { schema = BASE_SCHEMA, ...options }: BuildBundleOptions,
): Promise<UnsignedBundle> {
  const all = [...findings, ...checkOwnership(folder), ...placePolicies(folder).findings];
  const [first] = all;
  if (first !== undefined) {
    const { file, line, reason } = first;
    const message = `${all.length} findings, the first: ${file}:${line}: ${reason}`;
    throw refuse("FOLDER_REFUSED", message, { file, line: String(line), reason });
  }
  const { serial, issued, expires } = options;
  const life = expires - issued;
  if (!Number.isSafeInteger(serial) || serial < 1 || !(life > 0 && life <= BUNDLE_LIFE_MS_MAX)) {
    throw refuse("BUNDLE_MALFORMED", "a serial starts at 1, and a bundle lives up to 400 days");
  }
  compilePolicies(policiesOf(folder, { shadow: true }));
  const slices = sliceFolder(folder);
  const digests = new Map<string, SliceDigest>();
  for (const [name, bytes] of slices) {
    digests.set(name, { sha256: await sha256Hex(bytes), bytes: bytes.length });
  }
  const manifest = formatManifest({
    trustDomain: folder.model.trustDomain,
    ...options,
    schema: await sha256Hex(new TextEncoder().encode(schema)),
    engine: ENGINE_VERSION,
    slices: digests,
  });
  return new UnsignedBundle(ownKey, manifest, slices, await sha256Hex(manifest));
}

/**
 * Adds a signature to a bundle file, in place of an older one by the same key. The other signatures are kept as they are
 * and not verified: look at what you sign, by `verifyBundle` or by building it yourself.
 *
 * @throws BUNDLE_MALFORMED, BUNDLE_TOO_LARGE
 */
export async function addSignature(
  file: Uint8Array,
  signer: PolicySigner,
): Promise<Uint8Array<ArrayBuffer>> {
  const { signatures, manifest, slices } = parseEnvelope(file);
  const signature = await signer.sign(signedBytes(manifest));
  const others = signatures.filter(({ keyId }) => keyId !== signer.key.id);
  return formatEnvelope({
    signatures: [...others, { keyId: signer.key.id, signature }],
    manifest,
    slices,
  });
}

/**
 * Cuts a bundle file down to what some services need. The signatures stay good: the manifest, which is what was signed,
 * names all slices and the file holds some.
 *
 * @throws BUNDLE_MISMATCH  it has no slice of such a service; `details.slice`
 * @throws BUNDLE_MALFORMED, BUNDLE_TOO_LARGE
 */
export function cutBundle(file: Uint8Array, services: readonly string[]): Uint8Array<ArrayBuffer> {
  const envelope = parseEnvelope(file);
  const wanted = ["principals", "guardrails", ...services.map(serviceSliceName)];
  const slices = new Map(
    wanted.map((name) => {
      const slice = envelope.slices.get(name);
      if (slice !== undefined) return [name, slice] as const;
      throw refuse("BUNDLE_MISMATCH", `the bundle has no slice ${name}`, { slice: name });
    }),
  );
  return formatEnvelope({ ...envelope, slices });
}
