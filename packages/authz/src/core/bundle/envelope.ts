import {
  BUNDLE_BYTES_MAX,
  ENVELOPE_LINE_MAX,
  MANIFEST_BYTES_MAX,
  POLICY_KEYS_MAX,
  SLICES_MAX,
} from "../../limits.ts";
import { formatHex, parseHex } from "./hex.ts";
import { refuse } from "./refuse.ts";

/** A signature by a policy key. Nobody has verified it yet. */
export interface EnvelopeSignature {
  /** SHA-256 of the key's SPKI, hex. */
  readonly keyId: string;
  /** 64 bytes, for either algorithm. */
  readonly signature: Uint8Array<ArrayBuffer>;
}

/** The parts of a bundle file. Nothing of them is verified or read. */
export interface Envelope {
  readonly signatures: readonly EnvelopeSignature[];
  readonly manifest: Uint8Array<ArrayBuffer>;
  readonly slices: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

const MAGIC = "bonafide-authz-bundle 1";
const SLICE_NAME = /^(?:principals|guardrails|service\/[a-z0-9][a-z0-9-]{0,62})$/;
const SIGNATURE_BYTES = 64;
const COUNT = /^(?:0|[1-9]\d{0,8})$/;
const END = 10;

/** What a policy key signs: the manifest as a DSSE payload of this type, so that nothing else it signs can be one. */
export const PAYLOAD_TYPE = "application/vnd.bonafide.authz.manifest.v1+json";

/** The bytes that are signed: the pre-authentication encoding of DSSE v1. */
export function signedBytes(manifest: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = new TextEncoder().encode(
    `DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${manifest.length} `,
  );
  return joined([head, manifest]);
}

/** Whether a text is the name of a slice. */
export function isSliceName(text: string): boolean {
  return SLICE_NAME.test(text);
}

/** Writes a bundle file: one spelling for the same parts. */
export function formatEnvelope({
  signatures,
  manifest,
  slices,
}: Envelope): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const line = (text: string): Uint8Array => encoder.encode(`${text}\n`);
  const parts = [line(MAGIC)];
  for (const { keyId, signature } of signatures.toSorted((a, b) => order(a.keyId, b.keyId))) {
    parts.push(line(`signature ${keyId} ${formatHex(signature)}`));
  }
  parts.push(line(`manifest ${manifest.length}`), manifest, line(""));
  for (const [name, bytes] of [...slices].toSorted(([a], [b]) => order(a, b))) {
    parts.push(line(`slice ${name} ${bytes.length}`), bytes, line(""));
  }
  return joined(parts);
}

/**
 * Takes a bundle file apart, by lengths only: no byte of a manifest or a slice is looked at before signatures are
 * verified.
 *
 * @throws BUNDLE_MALFORMED, BUNDLE_TOO_LARGE
 */
export function parseEnvelope(bytes: Uint8Array): Envelope {
  if (bytes.length > BUNDLE_BYTES_MAX) throw refuse("BUNDLE_TOO_LARGE", "the bundle is too large");
  const reader = new EnvelopeReader(bytes);
  if (reader.line() !== MAGIC) throw malformed("no bundle, or one of another version");
  const signatures: EnvelopeSignature[] = [];
  let words = reader.line().split(" ");
  for (; words[0] === "signature"; words = reader.line().split(" ")) {
    const [, keyId = "", hex = ""] = words;
    const signature = parseHex(hex, SIGNATURE_BYTES);
    if (signature === undefined || parseHex(keyId, 32) === undefined || words.length !== 3) {
      throw malformed("a signature has no form");
    }
    ascending(signatures.at(-1)?.keyId, keyId);
    signatures.push({ keyId, signature });
    if (signatures.length > POLICY_KEYS_MAX) throw malformed("too many signatures");
  }
  const [word, length = ""] = words;
  if (word !== "manifest" || words.length !== 2) throw malformed("no manifest");
  const manifest = reader.body(length, MANIFEST_BYTES_MAX);
  const slices = new Map<string, Uint8Array<ArrayBuffer>>();
  let before: string | undefined;
  while (!reader.atEnd) {
    const [kind, name = "", size = "", ...rest] = reader.line().split(" ");
    if (kind !== "slice" || rest.length > 0 || !isSliceName(name)) throw malformed("no slice");
    ascending(before, name);
    before = name;
    slices.set(name, reader.body(size, BUNDLE_BYTES_MAX));
    if (slices.size > SLICES_MAX) throw malformed("too many slices");
  }
  return { signatures, manifest, slices };
}

class EnvelopeReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  line(): string {
    const most = this.#bytes.subarray(this.#at, this.#at + ENVELOPE_LINE_MAX + 1);
    const end = most.indexOf(END);
    if (end === -1) throw malformed("a line does not end");
    this.#at += end + 1;
    const line = most.subarray(0, end);
    if (line.some((byte) => byte < 32 || byte > 126)) throw malformed("a line is no text");
    return new TextDecoder().decode(line);
  }

  /** A copy, so that whoever holds the file cannot change it between the check and the use. */
  body(length: string, max: number): Uint8Array<ArrayBuffer> {
    const size = COUNT.test(length) ? Number(length) : -1;
    if (size < 0) throw malformed("a length is no number");
    if (size > max) throw refuse("BUNDLE_TOO_LARGE", "a part of the bundle is too large");
    const end = this.#at + size;
    if (this.#bytes[end] !== END) throw malformed("a part is cut short");
    const body = Uint8Array.from(this.#bytes.subarray(this.#at, end));
    this.#at = end + 1;
    return body;
  }
}

function ascending(before: string | undefined, now: string): void {
  if (before !== undefined && order(before, now) >= 0) throw malformed("parts are not in order");
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function malformed(reason: string): Error {
  return refuse("BUNDLE_MALFORMED", `the bundle cannot be read: ${reason}`);
}
