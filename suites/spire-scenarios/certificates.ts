import { X509Certificate } from "node:crypto";

/** Certificates that stand one behind the other, DER. */
export function certificatesOf(ders: Uint8Array): X509Certificate[] {
  const found: X509Certificate[] = [];
  for (let rest = Buffer.from(ders); rest.length > 0;) {
    const certificate = new X509Certificate(rest);
    found.push(certificate);
    rest = rest.subarray(certificate.raw.length);
  }
  return found;
}
