import { readFile, stat } from "node:fs/promises";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import { BonafideError } from "@bonafide/errors";
import { type Clock, every, type Log } from "@bonafide/lifetime";
import { SERVER_ERRORS } from "../errors.ts";
import { LIMITS } from "../limits.ts";

/** Where the certificate of an `https_web` endpoint lies, PEM. */
export interface WebCertificateFiles {
  /** The leaf first, then what signed it. */
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** The certificate and key of the moment, as TLS takes them. */
export type WebCertificate = Required<Pick<SecureContextOptions, "cert" | "key">>;

/** How often the files are read again, ms. */
const LOOK_MS = 10_000;

/**
 * Reads certificate and key, and checks that they belong together.
 *
 * @throws WEB_CERTIFICATE_UNUSABLE
 */
export async function readWebCertificate(files: WebCertificateFiles): Promise<WebCertificate> {
  try {
    const cert = await readBounded(files.certificateFile);
    const key = await readBounded(files.keyFile);
    createSecureContext({ cert, key });
    return { cert, key };
  } catch (cause) {
    throw new BonafideError(
      SERVER_ERRORS,
      "WEB_CERTIFICATE_UNUSABLE",
      "certificate or key cannot be read, or do not belong together",
      { cause, details: { certificate: files.certificateFile, key: files.keyFile } },
    );
  }
}

/**
 * Reads the files again and again until the signal aborts. Files that are written one after the other do not match for a
 * moment: what cannot be used leaves the last good certificate in force, and is said once.
 *
 * @param present  Told of each certificate that is another one.
 */
export async function followWebCertificate(
  files: WebCertificateFiles,
  deps: { readonly clock: Clock; readonly log: Log },
  first: WebCertificate,
  present: (certificate: WebCertificate) => void,
  signal: AbortSignal,
): Promise<void> {
  const { clock, log } = deps;
  let current = first;
  let isBad = false;
  const failed = (error: unknown): void => {
    if (!isBad) log({ level: "warn", event: "web_certificate.not_reloaded", error });
    isBad = true;
  };
  await every(
    { clock, ms: LOOK_MS, failed },
    async () => {
      const next = await readWebCertificate(files);
      isBad = false;
      if (next.cert === current.cert && next.key === current.key) return;
      current = next;
      present(next);
      log({ level: "info", event: "web_certificate.reloaded" });
    },
    signal,
  );
}

async function readBounded(path: string): Promise<string> {
  if ((await stat(path)).size > LIMITS.webCertificateBytes) throw new Error("the file is too long");
  return readFile(path, "utf8");
}
