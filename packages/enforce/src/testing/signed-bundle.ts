import {
  buildBundle,
  createPolicyKey,
  openPolicySigner,
  PolicyTrust,
  type ReadFolder,
  type VerifiedBundle,
  verifyBundle,
} from "@bonafide/authz";

/** Options of {@link signedBundle}. */
export interface SignedBundleOptions {
  /** Default 1. */
  readonly serial?: number;
  /** When it is issued and verified, epoch ms; default the clock's. */
  readonly now?: number;
  /** How long it lives, ms; default an hour. */
  readonly lifeMs?: number;
}

/**
 * A bundle of a folder for tests, signed by a key that nobody keeps. What decides takes verified bundles only; this is one.
 *
 * @throws FOLDER_REFUSED  the folder has findings
 */
export async function signedBundle(
  folder: ReadFolder,
  { serial = 1, now = Date.now(), lifeMs = 3_600_000 }: SignedBundleOptions = {},
): Promise<VerifiedBundle> {
  const { key, privatePem } = await createPolicyKey("Ed25519");
  const built = await buildBundle(folder, { serial, issued: now, expires: now + lifeMs });
  const file = await built.sign(await openPolicySigner(privatePem));
  const { trustDomain } = folder.folder.model;
  return verifyBundle(file, {
    trust: PolicyTrust.of({ keys: [key], threshold: 1 }),
    trustDomain,
    now,
  });
}
