import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { BonafideError } from "@bonafide/errors";
import { backoffMs, type Clock, type Log, type Random } from "@bonafide/lifetime";
import { Bundle as BundleService } from "@bonafide/proto/spire/api/server/bundle/v1/bundle_pb";
import {
  parseSpiffeBundle,
  jwtBundleOf,
  parseX509BundlePem,
  type TrustDomain,
} from "@bonafide/spiffe";
import type { TrustBundle } from "../core/bundle.ts";
import { AGENT_ERRORS } from "../errors.ts";
import { openLinkInsecure } from "../server/insecure-link.ts";
import type { ServerAddress } from "../server/server-link.ts";
import { parseBundle } from "../wire/parse-bundle.ts";
import { recoveryKeyIn } from "./bootstrap-key.ts";

/** Where an agent that has no state yet learns whom to trust. */
export type Bootstrap =
  /** A file with the server's bundle: PEM, or a SPIFFE bundle document; as `bundle show` prints it, with the recovery key. */
  | { readonly kind: "file"; readonly path: string }
  /** The same, as text. */
  | { readonly kind: "text"; readonly text: string }
  /** Whatever server answers first is believed. For trying out only. */
  | { readonly kind: "insecure" }
  /** Nothing: the state of an earlier run is required. */
  | { readonly kind: "none" };

/** What {@link fetchBundleInsecure} works with. */
export interface InsecureBootstrapDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** What an agent starts from. */
export interface BootstrapBundle {
  readonly bundle: TrustBundle;
  /** Raw Ed25519 key of the trust domain's recovery, 32 bytes; undefined: it came with none. */
  readonly recoveryKey: Uint8Array | undefined;
}

/**
 * Reads a bootstrap bundle.
 *
 * @throws BOOTSTRAP_BUNDLE_INVALID  unreadable, or without an authority
 */
export function parseBootstrap(trustDomain: TrustDomain, text: string): BootstrapBundle {
  return { bundle: parseBundleText(trustDomain, text), recoveryKey: recoveryKeyIn(text) };
}

function parseBundleText(trustDomain: TrustDomain, text: string): TrustBundle {
  try {
    const isDocument = text.trimStart().startsWith("{");
    const document = isDocument ? parseSpiffeBundle(trustDomain, text) : undefined;
    const x509 = document?.x509 ?? parseX509BundlePem(trustDomain, text);
    if (x509.authorities.length === 0) throw new TypeError("no authorities");
    const jwt = jwtBundleOf(trustDomain, []);
    return { trustDomain, x509, tainted: new Set(), jwt, taintedJwt: new Set(), sequence: 0n };
  } catch (cause) {
    throw new BonafideError(
      AGENT_ERRORS,
      "BOOTSTRAP_BUNDLE_INVALID",
      "the bootstrap bundle is neither PEM certificates nor a SPIFFE bundle document",
      { cause },
    );
  }
}

/** Reads a bootstrap bundle from a file. @throws BOOTSTRAP_BUNDLE_INVALID */
export async function readBootstrap(
  trustDomain: TrustDomain,
  path: string,
): Promise<BootstrapBundle> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw new BonafideError(
      AGENT_ERRORS,
      "BOOTSTRAP_BUNDLE_INVALID",
      `the bootstrap bundle ${path} cannot be read`,
      { cause, details: { path } },
    );
  }
  return parseBootstrap(trustDomain, text);
}

/**
 * Believes whatever server answers first, and says so loudly with the fingerprint of what it got. Tries until it gets an
 * answer or the signal aborts.
 */
export async function fetchBundleInsecure(
  address: ServerAddress,
  trustDomain: TrustDomain,
  deps: InsecureBootstrapDeps,
  options: { readonly signal: AbortSignal },
): Promise<TrustBundle> {
  const { clock, random, log } = deps;
  for (let failures = 1; ; failures++) {
    const link = openLinkInsecure(address);
    try {
      const answer = await link.client(BundleService).getBundle({}, options);
      const bundle = parseBundle(answer, trustDomain);
      if (bundle.x509.authorities.length > 0) {
        const sha256 = bundle.x509.authorities.map(({ der }) =>
          createHash("sha256").update(der).digest("hex"),
        );
        const server = `${address.host}:${address.port}`;
        const meaning = "whoever answered is believed to be the server; compare the fingerprints";
        log({ level: "warn", event: "bootstrap.insecure", fields: { server, sha256, meaning } });
        return bundle;
      }
    } catch (cause) {
      options.signal.throwIfAborted();
      log({ level: "warn", event: "bootstrap.failed", error: link.reasonOf(cause) });
    } finally {
      link.destroy();
    }
    await clock.sleep(backoffMs(failures, random.fraction()), options);
  }
}
