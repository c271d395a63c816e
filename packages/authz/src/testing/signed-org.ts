import { buildBundle, type UnsignedBundle } from "../bundle/build-bundle.ts";
import {
  createPolicyKey,
  openPolicySigner,
  type PolicyAlgorithm,
  type PolicySigner,
  PolicyTrust,
} from "../bundle/policy-keys.ts";
import { readFolder } from "../core/folder/read-folder.ts";
import { parsers } from "./parsers.ts";
import { smallOrg } from "./small-org.ts";

/** When bundles of tests are issued, epoch ms. */
export const ISSUED = 1_795_000_000_000;

/** How long bundles of tests live, ms. */
export const LIFE: number = 7 * 24 * 3_600_000;

/** Makes a policy key that signs. */
export async function newSigner(algorithm: PolicyAlgorithm = "Ed25519"): Promise<PolicySigner> {
  return openPolicySigner((await createPolicyKey(algorithm)).privatePem);
}

/** Trust in the keys of some signers. */
export function trustIn(signers: readonly PolicySigner[], threshold = 1): PolicyTrust {
  return PolicyTrust.of({ keys: signers.map(({ key }) => key), threshold });
}

/** A bundle of a folder, by default of the small organisation. */
export function buildOf(
  serial: number,
  files: ReadonlyMap<string, string> = smallOrg(),
): Promise<UnsignedBundle> {
  const times = { issued: ISSUED, expires: ISSUED + LIFE };
  return buildBundle(readFolder(files, parsers), { serial, ...times });
}
