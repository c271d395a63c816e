import { BonafideError } from "@bonafide/errors";
import { AGENT_ERRORS } from "../errors.ts";

const KEY_BYTES = 32;
const MEMBER = "bonafide_recovery_key";
const LINE = /^# bonafide recovery key: *(.*?) *$/m;

/**
 * Puts the trust domain's recovery key into a bundle's text, so that whoever sets an agent up hands over both at once.
 * In PEM it is a line before the first certificate, in a SPIFFE bundle document a member of its own; readers that do not
 * know it pass over either.
 *
 * @param text  PEM certificates or a SPIFFE bundle document.
 * @param key   Raw Ed25519 key, 32 bytes.
 */
export function withRecoveryKey(text: string, key: Uint8Array): string {
  const value = Buffer.from(key).toString("base64");
  if (!isDocument(text)) return `# bonafide recovery key: ${value}\n${text}`;
  return text.replace("{", `{"${MEMBER}":"${value}",`);
}

/**
 * The recovery key that a bundle's text carries.
 *
 * @returns undefined: it carries none.
 * @throws BOOTSTRAP_BUNDLE_INVALID  what it carries is no key
 */
export function recoveryKeyIn(text: string): Uint8Array | undefined {
  const value = isDocument(text) ? memberOf(text) : LINE.exec(text)?.[1];
  if (value === undefined) return undefined;
  const key = typeof value === "string" ? Buffer.from(value, "base64") : Buffer.alloc(0);
  if (key.length === KEY_BYTES && key.toString("base64") === value) return new Uint8Array(key);
  throw new BonafideError(
    AGENT_ERRORS,
    "BOOTSTRAP_BUNDLE_INVALID",
    "the recovery key of the bootstrap bundle is not 32 bytes in base64",
  );
}

function memberOf(text: string): unknown {
  const document: unknown = JSON.parse(text);
  return typeof document === "object" && document !== null
    ? Reflect.get(document, MEMBER)
    : undefined;
}

function isDocument(text: string): boolean {
  return text.trimStart().startsWith("{");
}
