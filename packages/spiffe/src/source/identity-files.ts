import { createHash } from "node:crypto";
import { open, realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import { BonafideError, isBonafideError } from "@bonafide/errors";
import type { EpochMs } from "@bonafide/lifetime";
import { x509BundleSetOf } from "../bundle/x509-bundle-set.ts";
import { parseX509BundlePem } from "../bundle/x509-bundle.ts";
import { SPIFFE_ERRORS } from "../errors.ts";
import { IDENTITY_FILE_BYTES_MAX } from "../limits.ts";
import { parseX509SvidPem } from "../svid/x509-svid.ts";
import { verifyX509Svid } from "../verify/verify-x509-svid.ts";
import { type X509Context, x509ContextOf } from "./x509-context.ts";

/** Paths of the three files of an identity. */
export interface IdentityFiles {
  /** PEM chain, leaf first; `tls.crt`. */
  readonly certificate: string;
  /** PEM key, PKCS#8; `tls.key`. */
  readonly key: string;
  /** PEM authorities of the leaf's own trust domain; `ca.crt`. */
  readonly authorities: string;
}

/** The bytes of the three files, read together. */
export interface IdentityBytes {
  readonly certificate: string;
  readonly key: string;
  readonly authorities: string;
  /** Equal for equal bytes. */
  readonly digest: string;
}

/** The usual names in a folder, as Kubernetes secrets and cert-manager have them. */
export function identityFilesIn(folder: string): IdentityFiles {
  return {
    certificate: join(folder, "tls.crt"),
    key: join(folder, "tls.key"),
    authorities: join(folder, "ca.crt"),
  };
}

/** The folders whose changes can change what {@link readIdentityBytes} reads. */
export function foldersOf(files: IdentityFiles): readonly string[] {
  return [
    ...new Set([files.certificate, files.key, files.authorities].map((path) => dirname(path))),
  ];
}

/**
 * Reads the three files, following each folder's `..data` link once for all files in it: Kubernetes swaps that link, and
 * reading around the swap would mix an old certificate with a new key.
 *
 * @throws IDENTITY_FILES_INVALID  `details.reason`: unreadable, too-large
 */
export async function readIdentityBytes(files: IdentityFiles): Promise<IdentityBytes> {
  try {
    const folders = new Map<string, string>();
    for (const folder of foldersOf(files)) folders.set(folder, await dataFolder(folder));
    const read = (path: string): Promise<string> => {
      const folder = dirname(path);
      return readBounded(join(folders.get(folder) ?? folder, path.slice(folder.length)));
    };
    const certificate = await read(files.certificate);
    const key = await read(files.key);
    const authorities = await read(files.authorities);
    const digest = createHash("sha256")
      .update(JSON.stringify([certificate, key, authorities]))
      .digest("hex");
    return { certificate, key, authorities, digest };
  } catch (cause) {
    throw isBonafideError(cause) ? cause : invalid("unreadable", cause);
  }
}

/**
 * Makes a context of files that belong together: the key fits the leaf, and the chain leads to one of the authorities
 * now. So neither a torn set nor an expired one is adopted.
 *
 * @throws IDENTITY_FILES_INVALID  `details.reason` is the code of what is wrong; `cause`
 */
export function contextOfFiles(bytes: IdentityBytes, now: EpochMs): X509Context {
  try {
    const svid = parseX509SvidPem(bytes.certificate, bytes.key);
    const bundle = parseX509BundlePem(svid.trustDomain, bytes.authorities);
    const bundles = x509BundleSetOf([bundle]);
    verifyX509Svid(
      svid.chain.map(({ der }) => der),
      bundles,
      { now },
    );
    return x509ContextOf(svid, bundles);
  } catch (cause) {
    throw invalid(isBonafideError(cause) ? cause.code : "unknown", cause);
  }
}

async function dataFolder(folder: string): Promise<string> {
  try {
    return await realpath(join(folder, "..data"));
  } catch {
    // No such link: a plain folder.
    return folder;
  }
}

async function readBounded(path: string): Promise<string> {
  await using file = await open(path, "r");
  const buffer = Buffer.alloc(IDENTITY_FILE_BYTES_MAX + 1);
  let length = 0;
  for (;;) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, null);
    length += bytesRead;
    if (length > IDENTITY_FILE_BYTES_MAX) throw invalid("too-large");
    if (bytesRead === 0) return buffer.toString("utf8", 0, length);
  }
}

function invalid(reason: string, cause?: unknown): BonafideError {
  return new BonafideError(
    SPIFFE_ERRORS,
    "IDENTITY_FILES_INVALID",
    `the identity files cannot be used: ${reason}`,
    { details: { reason }, cause },
  );
}
