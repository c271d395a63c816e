import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";

const metadata = new WeakMap<object, Map<unknown, unknown>>();
// @peculiar/x509 asks for a reflection polyfill that it does not bring; these four functions are all it uses.
Object.assign(Reflect, {
  getMetadata: (key: unknown, target: object) => metadata.get(target)?.get(key),
  getOwnMetadata: (key: unknown, target: object) => metadata.get(target)?.get(key),
  hasOwnMetadata: (key: unknown, target: object) => metadata.get(target)?.has(key) ?? false,
  defineMetadata: (key: unknown, value: unknown, target: object) => {
    metadata.set(target, (metadata.get(target) ?? new Map<unknown, unknown>()).set(key, value));
  },
});

const require = createRequire(import.meta.url);

/** What is used of the library's certificates and requests. */
interface PeculiarObject {
  getExtension(oid: string): PeculiarExtension | null;
  verify(options?: { readonly publicKey: PeculiarObject; readonly date: Date }): Promise<boolean>;
}

interface PeculiarExtension {
  readonly critical: boolean;
  readonly ca?: boolean;
  readonly pathLength?: number;
  readonly usages?: number;
  readonly keyId?: string;
  readonly names?: { toJSON(): readonly { readonly value: string }[] };
}

/**
 * The library @peculiar/x509, an independent reader, for this package's own tests. Its own types need the DOM's, which
 * this repository does not load; hence required, and described above.
 */
export const peculiar: {
  readonly X509Certificate: new (der: Uint8Array) => PeculiarObject;
  readonly Pkcs10CertificateRequest: new (der: Uint8Array) => PeculiarObject;
} = require("@peculiar/x509");

/** Runs the openssl command; throws when it fails. */
export function openssl(args: readonly string[], input: string | Uint8Array): string {
  return execFileSync("openssl", [...args], { input, stdio: ["pipe", "pipe", "pipe"] }).toString();
}
