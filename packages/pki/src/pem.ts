import { BonafideError } from "@bonafide/errors";
import { toBase64 } from "./der/bytes.ts";
import { PKI_ERRORS } from "./errors.ts";
import { PKI_LIMITS } from "./limits.ts";
import type { Certificate } from "./x509/certificate.ts";
import { parseCertificate } from "./x509/parse-certificate.ts";

/** One block of a PEM text. */
export interface PemBlock {
  /** Such as `CERTIFICATE`. */
  readonly label: string;
  readonly der: Uint8Array;
}

const LINE_CHARACTERS = 64;
const BEGIN = /^-----BEGIN ([A-Z0-9]+(?: [A-Z0-9]+)*)-----$/;
const BASE64_LINE = /^[A-Za-z0-9+/]+={0,2}$/;

function malformed(message: string): BonafideError {
  return new BonafideError(PKI_ERRORS, "PEM_MALFORMED", message);
}

/**
 * Reads every block of a PEM text (RFC 7468 §3), strictly: inside a block only lines of canonical base64, no headers, no
 * blank line, at least one octet; between blocks any line that does not begin with five hyphens.
 *
 * @param text  At most `PKI_LIMITS.pemCharacters`, `PKI_LIMITS.certificates` blocks.
 * @returns None for a text without a block: the caller knows how many it needs.
 * @throws PEM_MALFORMED
 */
export function parsePem(text: string): readonly PemBlock[] {
  if (text.length > PKI_LIMITS.pemCharacters) throw malformed("text too long");
  const blocks: PemBlock[] = [];
  let label: string | undefined;
  let body: string[] = [];
  for (const raw of text.split("\n")) {
    const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
    if (label === undefined) {
      const begin = BEGIN.exec(line)?.[1];
      if (begin === undefined && line.startsWith("-----")) throw malformed("boundary line");
      label = begin;
    } else if (line === `-----END ${label}-----`) {
      if (blocks.length === PKI_LIMITS.certificates) throw malformed("too many blocks");
      blocks.push({ label, der: decodeBase64(body.join("")) });
      label = undefined;
      body = [];
    } else if (BASE64_LINE.test(line)) body.push(line);
    else throw malformed("line inside a block");
  }
  if (label !== undefined) throw malformed("block without its end");
  return blocks;
}

function decodeBase64(text: string): Uint8Array {
  const der = new Uint8Array(Buffer.from(text, "base64"));
  // Node's decoder accepts much; what it read must be what a writer would have written.
  if (der.length === 0 || toBase64(der) !== text) throw malformed("base64");
  return der;
}

/** Writes one block, 64 characters a line, newline at the end. */
export function formatPem(label: string, der: Uint8Array): string {
  const text = toBase64(der);
  const lines: string[] = [];
  for (let at = 0; at < text.length; at += LINE_CHARACTERS) {
    lines.push(text.slice(at, at + LINE_CHARACTERS));
  }
  return `${[`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`].join("\n")}\n`;
}

/**
 * Reads a PEM text that holds certificates and nothing else.
 *
 * @throws PEM_MALFORMED          not PEM, no block, or a block of another label
 * @throws CERTIFICATE_MALFORMED  a block that is not a certificate
 */
export function parseCertificatesPem(text: string): readonly Certificate[] {
  const blocks = parsePem(text);
  if (blocks.length === 0) throw malformed("no certificate");
  return blocks.map(({ label, der }) => {
    if (label !== "CERTIFICATE") throw malformed("a block that is not a certificate");
    return parseCertificate(der);
  });
}

/** Writes certificates as PEM, in order. */
export function formatCertificatesPem(
  certificates: readonly { readonly der: Uint8Array }[],
): string {
  return certificates.map(({ der }) => formatPem("CERTIFICATE", der)).join("");
}
