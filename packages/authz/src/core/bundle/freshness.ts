import { CLOCK_SKEW_MS } from "../../limits.ts";
import type { BundleRef } from "../record/decision-record.ts";
import type { Manifest } from "./manifest.ts";
import { refuse } from "./refuse.ts";

/** What a manifest is judged against. */
export interface FreshnessOptions {
  /** Epoch ms. */
  readonly now: number;
  /** The trust domain that the enforcing side belongs to. */
  readonly trustDomain: string;
  /** The newest bundle that was ever adopted here; nothing older is taken. */
  readonly floor?: BundleRef | undefined;
}

/**
 * Whether a verified manifest may be adopted now.
 *
 * @throws BUNDLE_MISMATCH       of another trust domain
 * @throws BUNDLE_ROLLED_BACK    below the floor, or another one of the same serial
 * @throws BUNDLE_NOT_YET_VALID  issued more than five minutes ahead of our clock
 * @throws BUNDLE_EXPIRED
 */
export function checkFreshness(
  manifest: Manifest,
  digest: string,
  { now, trustDomain, floor }: FreshnessOptions,
): void {
  const { serial, issued, expires } = manifest;
  const details = { serial: String(serial) };
  if (manifest.trustDomain !== trustDomain) {
    const message = `the bundle is of trust domain ${manifest.trustDomain}, not ${trustDomain}`;
    throw refuse("BUNDLE_MISMATCH", message, details);
  }
  if (floor !== undefined) {
    const isOther = serial === floor.serial && digest !== floor.digest;
    if (serial < floor.serial || isOther) {
      const message = isOther
        ? `another bundle of serial ${serial} was adopted before`
        : `serial ${serial} is below ${floor.serial}, which was adopted before`;
      throw refuse("BUNDLE_ROLLED_BACK", message, details);
    }
  }
  if (issued > now + CLOCK_SKEW_MS) {
    const message = `the bundle was issued ${issued - now} ms ahead of our clock`;
    throw refuse("BUNDLE_NOT_YET_VALID", message, details);
  }
  if (now >= expires) {
    throw refuse("BUNDLE_EXPIRED", `the bundle of serial ${serial} has expired`, details);
  }
}
