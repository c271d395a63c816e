import type { KeyObject } from "node:crypto";
import { open } from "node:fs/promises";
import { BonafideError } from "@bonafide/errors";
import {
  type Certificate,
  CertificateIssuer,
  encodePublicKey,
  keySigner,
  parseCertificatesPem,
  parsePrivateKeyPem,
  verifyPath,
} from "@bonafide/pki";
import { UPSTREAM_AUTHORITY_ERRORS } from "@bonafide/plugin-api";
import { LIMITS } from "./limits.ts";

/** Where the authority is. */
export interface AuthorityPaths {
  /** PEM: the authority's certificate, then what stands between it and a root. */
  readonly certificatePath: string;
  /** PEM, PKCS#8. */
  readonly privateKeyPath: string;
  /** PEM: the roots; undefined: the certificate is the root. */
  readonly bundlePath: string | undefined;
}

/** An authority as its files say, with its key. */
export interface DiskAuthority {
  readonly certificate: Certificate;
  readonly issuer: CertificateIssuer;
  /** DER: itself first, without the root; empty: it is the root. */
  readonly above: readonly Uint8Array[];
  readonly roots: readonly Certificate[];
}

/** Reads an authority. @throws UPSTREAM_AUTHORITY_INVALID, UPSTREAM_AUTHORITY_UNAVAILABLE; neither quotes a file */
export async function readAuthority(
  { certificatePath, privateKeyPath, bundlePath }: AuthorityPaths,
  now: number,
): Promise<DiskAuthority> {
  const chain = await readCertificates(certificatePath);
  const privateKey = await readKey(privateKeyPath);
  const [certificate] = chain;
  const roots = bundlePath === undefined ? chain.slice(0, 1) : await readCertificates(bundlePath);
  if (certificate === undefined) throw invalid(`${certificatePath} holds no certificate`);
  if (!Buffer.from(encodePublicKey(privateKey)).equals(certificate.spki)) {
    throw invalid(`${privateKeyPath} is not the key of ${certificatePath}`);
  }
  try {
    const issuer = new CertificateIssuer(certificate, keySigner(privateKey));
    if (roots.some(({ der }) => Buffer.from(der).equals(certificate.der))) {
      assertRoot(certificate, now);
      return { certificate, issuer, above: [], roots };
    }
    const { path } = verifyPath(chain, roots, { now, subjectKind: "authority" });
    return { certificate, issuer, above: path.slice(0, -1).map(({ der }) => der), roots };
  } catch (cause) {
    const what = bundlePath === undefined ? "is no root that may sign" : "leads to no root";
    throw invalid(`${certificatePath} ${what}`, cause);
  }
}

/** Whoever shows it later is judged by it alone. */
function assertRoot({ notBefore, notAfter, subject, issuer }: Certificate, now: number): void {
  if (!Buffer.from(subject).equals(issuer)) throw new Error("another one issued it");
  if (now < notBefore || now > notAfter) throw new Error("it has ended, or has not begun");
}

async function readCertificates(path: string): Promise<readonly Certificate[]> {
  const text = (await readBounded(path)).toString("utf8");
  let certificates: readonly Certificate[];
  try {
    certificates = parseCertificatesPem(text);
  } catch (cause) {
    throw invalid(`${path} holds something else than certificates`, cause);
  }
  if (certificates.length > LIMITS.certificates) throw invalid(`${path} holds too many`);
  return certificates;
}

async function readKey(path: string): Promise<KeyObject> {
  const text = (await readBounded(path)).toString("utf8");
  try {
    return parsePrivateKeyPem(text);
  } catch {
    // No cause: an error about the content could quote it.
    throw invalid(`${path} holds no private key in PKCS#8`);
  }
}

async function readBounded(path: string): Promise<Buffer> {
  try {
    await using file = await open(path, "r");
    const { size } = await file.stat();
    if (size <= LIMITS.fileBytes) return await file.readFile();
  } catch (cause) {
    const message = `${path} cannot be read`;
    throw new BonafideError(UPSTREAM_AUTHORITY_ERRORS, "UPSTREAM_AUTHORITY_UNAVAILABLE", message, {
      cause,
    });
  }
  throw invalid(`${path} is too large`);
}

/** What cannot be used, and why. */
export function invalid(message: string, cause?: unknown): BonafideError {
  return new BonafideError(UPSTREAM_AUTHORITY_ERRORS, "UPSTREAM_AUTHORITY_INVALID", message, {
    cause,
  });
}
