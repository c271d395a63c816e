import { fstatSync, openSync, readFileSync, closeSync } from "node:fs";
import { BonafideError } from "@bonafide/errors";
import { encodePublicKey, parseCertificate, publicKeyOf } from "@bonafide/pki";
import { type Bundle, BundleSchema } from "@bonafide/proto/spire/api/types/bundle_pb";
import {
  parseSpiffeBundle,
  parseTrustDomain,
  parseX509BundlePem,
  type SpiffeBundle,
  type TokenAuthority,
  x509BundleOf,
} from "@bonafide/spiffe";
import { create } from "@bufbuild/protobuf";
import { usage } from "../arguments/parse-flags.ts";
import { CLI_ERRORS } from "../errors.ts";

/** How a bundle is written: certificates alone, or a SPIFFE bundle document. */
export type BundleFormat = "pem" | "spiffe";

interface WireKey {
  readonly keyId: string;
  readonly publicKey: Uint8Array;
}

const FILE_BYTES_MAX = 4 * 1024 * 1024;
const STANDARD_INPUT = 0;

/** @throws USAGE */
export function bundleFormat(flag: string | undefined, name: string): BundleFormat {
  if (flag === undefined || flag === "pem") return "pem";
  if (flag === "spiffe") return flag;
  throw usage(`${name} is pem or spiffe`);
}

/**
 * Reads a trust domain's bundle from a file, or from standard input if the path is `-`.
 *
 * @throws FILE_UNREADABLE, BUNDLE_MALFORMED, TRUST_DOMAIN_INVALID
 */
export function readBundleFile(path: string, format: BundleFormat, name: string): Bundle {
  const trustDomain = parseTrustDomain(name);
  const text = readText(path);
  const bundle: SpiffeBundle =
    format === "spiffe"
      ? parseSpiffeBundle(trustDomain, text)
      : {
          trustDomain,
          sequence: undefined,
          refreshHintSeconds: undefined,
          x509: parseX509BundlePem(trustDomain, text),
          jwtAuthorities: [],
          witAuthorities: [],
        };
  return create(BundleSchema, {
    trustDomain,
    sequenceNumber: bundle.sequence ?? 0n,
    refreshHint: BigInt(bundle.refreshHintSeconds ?? 0),
    x509Authorities: bundle.x509.authorities.map(({ der }) => ({ asn1: der })),
    jwtAuthorities: bundle.jwtAuthorities.map(wireKey),
    witAuthorities: bundle.witAuthorities.map(wireKey),
  });
}

/** A bundle as a server told it. */
export function spiffeBundleOf(bundle: Bundle): SpiffeBundle {
  const trustDomain = parseTrustDomain(bundle.trustDomain);
  return {
    trustDomain,
    sequence: bundle.sequenceNumber === 0n ? undefined : bundle.sequenceNumber,
    refreshHintSeconds: Number(bundle.refreshHint) || undefined,
    x509: x509BundleOf(
      trustDomain,
      bundle.x509Authorities.map(({ asn1 }) => parseCertificate(asn1)),
    ),
    jwtAuthorities: bundle.jwtAuthorities.map(keyOf),
    witAuthorities: bundle.witAuthorities.map(keyOf),
  };
}

function wireKey({ keyId, publicKey }: TokenAuthority): WireKey {
  return { keyId, publicKey: encodePublicKey(publicKey) };
}

function keyOf({ keyId, publicKey }: WireKey): TokenAuthority {
  return { keyId, publicKey: publicKeyOf({ spki: publicKey }) };
}

function readText(path: string): string {
  const file = path === "-" ? STANDARD_INPUT : open(path);
  try {
    if (fstatSync(file).size > FILE_BYTES_MAX) throw new Error("the file is too long");
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw unreadable(path, cause);
  } finally {
    if (file !== STANDARD_INPUT) closeSync(file);
  }
}

function open(path: string): number {
  try {
    return openSync(path, "r");
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): BonafideError {
  return new BonafideError(CLI_ERRORS, "FILE_UNREADABLE", `${path} cannot be read`, { cause });
}
