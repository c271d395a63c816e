import { BonafideError } from "@bonafide/errors";
import {
  type Certificate,
  CertificateIssuer,
  encodeName,
  generateKey,
  issueRoot,
  keySigner,
  parseCertificate,
  parseCsr,
  randomSerial,
  verifyCsr,
} from "@bonafide/pki";
import {
  type CanPublishJwtKeys,
  UPSTREAM_AUTHORITY_ERRORS,
  type UpstreamAuthority,
  type UpstreamJwtKey,
} from "../upstream-authority.ts";

/** An upstream authority for tests; what it says can be changed. */
export interface MemoryUpstreamAuthority extends UpstreamAuthority, CanPublishJwtKeys {
  /** The root that signs now, DER. */
  readonly root: Uint8Array;
  /** Makes another root, which signs from now on; the old one stays published. */
  rotate(): Uint8Array;
  /** Marks a root. */
  taint(root: Uint8Array): void;
  /** Takes a root out. */
  revoke(root: Uint8Array): void;
  /** Takes a JWT key out. */
  revokeJwtKey(keyId: string): void;
  /** Every call fails as long as this is set. */
  isAway: boolean;
}

const DAY_MS = 86_400_000;

/** Opens one for a trust domain. @param now  Wall time, epoch ms. */
export function openMemoryUpstream(
  trustDomain: string,
  now: () => number,
): MemoryUpstreamAuthority {
  const roots = new Map<string, { readonly der: Uint8Array; tainted: boolean }>();
  const jwtKeys = new Map<string, UpstreamJwtKey>();
  let sequenceNumber = 0n;
  let isClosed = false;
  let current: { readonly certificate: Certificate; readonly issuer: CertificateIssuer };
  const uris = [`spiffe://${trustDomain}`];

  function rotate(): Uint8Array {
    const signer = keySigner(generateKey("ec-p256").privateKey);
    const serial = randomSerial();
    const { der } = issueRoot(signer, {
      uris,
      serial,
      subject: encodeName([{ type: "serialNumber", value: serial.toString() }]),
      notBefore: now() - 10_000,
      notAfter: now() + 365 * DAY_MS,
    });
    const certificate = parseCertificate(der);
    current = { certificate, issuer: new CertificateIssuer(certificate, signer) };
    roots.set(keyOf(der), { der, tainted: false });
    sequenceNumber++;
    return der;
  }
  rotate();

  const upstream: MemoryUpstreamAuthority = {
    name: "memory",
    isAway: false,
    get root() {
      return current.certificate.der;
    },
    rotate,
    taint(root) {
      const known = roots.get(keyOf(root));
      if (known !== undefined) known.tainted = true;
      sequenceNumber++;
    },
    revoke(root) {
      roots.delete(keyOf(root));
      sequenceNumber++;
    },
    revokeJwtKey(keyId) {
      jwtKeys.delete(keyId);
      sequenceNumber++;
    },
    async mint({ csr, ttlMs }, options) {
      begin(options);
      const request = parseCsr(csr);
      verifyCsr(request);
      const notAfter = Math.min(now() + ttlMs, current.certificate.notAfter);
      const serial = randomSerial();
      const { der } = current.issuer.issueAuthority({
        spki: request.spki,
        uris,
        serial,
        subject: encodeName([{ type: "serialNumber", value: serial.toString() }]),
        notBefore: now() - 10_000,
        notAfter,
      });
      return { chain: [der], roots: listed() };
    },
    async bundle(options) {
      begin(options);
      return { roots: listed(), jwtKeys: [...jwtKeys.values()], sequenceNumber, isWhole: true };
    },
    async publishJwtKey(published, options) {
      begin(options);
      if (!jwtKeys.has(published.keyId)) {
        jwtKeys.set(published.keyId, published);
        sequenceNumber++;
      }
      return [...jwtKeys.values()];
    },
    close() {
      isClosed = true;
      return Promise.resolve();
    },
    [Symbol.asyncDispose]: () => upstream.close(),
  };

  function begin(options: { readonly signal?: AbortSignal } = {}): void {
    options.signal?.throwIfAborted();
    if (isClosed) {
      const message = "the upstream authority was closed";
      throw new BonafideError(UPSTREAM_AUTHORITY_ERRORS, "UPSTREAM_AUTHORITY_CLOSED", message);
    }
    if (!upstream.isAway) return;
    const message = "the upstream is away";
    throw new BonafideError(UPSTREAM_AUTHORITY_ERRORS, "UPSTREAM_AUTHORITY_UNAVAILABLE", message);
  }

  function listed(): { certificate: Uint8Array; tainted: boolean }[] {
    return [...roots.values()].map(({ der, tainted }) => ({ certificate: der, tainted }));
  }

  return upstream;
}

function keyOf(der: Uint8Array): string {
  return Buffer.from(der).toString("base64");
}
