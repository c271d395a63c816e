import { BonafideError } from "@bonafide/errors";
import { SPIFFE_ERRORS } from "../errors.ts";
import { SPIFFE_ID_BYTES_MAX } from "../limits.ts";
import { isTrustDomain, type TrustDomain, trustDomainFault } from "./trust-domain.ts";

declare const brand: unique symbol;

/**
 * A SPIFFE ID as text, such as `spiffe://example.org/greeter`, that was checked. Compares with `===`.
 *
 * @spec SPIFFE-ID §2
 */
export type SpiffeId = string & { readonly [brand]: "SpiffeId" };

/** Why a text is no SPIFFE ID. */
export type SpiffeIdFault =
  | "scheme"
  | "trust-domain-empty"
  | "trust-domain-character"
  | "trust-domain-too-long"
  | "path-character"
  | "empty-segment"
  | "dot-segment"
  | "trailing-slash"
  | "too-long";

/** Options of {@link parseSpiffeId}. */
export interface ParseSpiffeIdOptions {
  /** Longest ID in bytes, default 2048; the standard lets a reader take longer ones. */
  readonly lengthMax?: number;
}

const PREFIX = "spiffe://";
const SLASH = 0x2f;

/**
 * The first rule that `text` breaks, or `undefined`. A parser of our own: `URL` would resolve dot segments, decode and
 * encode, drop tabs and keep capitals, and so make valid IDs out of invalid ones.
 */
export function spiffeIdFault(
  text: string,
  options: ParseSpiffeIdOptions = {},
): SpiffeIdFault | undefined {
  if (!text.startsWith(PREFIX)) return "scheme";
  const slash = text.indexOf("/", PREFIX.length);
  const host = text.slice(PREFIX.length, slash === -1 ? undefined : slash);
  switch (trustDomainFault(host)) {
    case "empty":
      return "trust-domain-empty";
    case "character":
      return "trust-domain-character";
    case "too-long":
      return "trust-domain-too-long";
    case undefined:
  }
  const fault = slash === -1 ? undefined : pathFault(text, slash);
  if (fault !== undefined) return fault;
  // Only ASCII is left here, so characters are bytes.
  return text.length > (options.lengthMax ?? SPIFFE_ID_BYTES_MAX) ? "too-long" : undefined;
}

/**
 * Reads a SPIFFE ID.
 *
 * @throws SPIFFE_ID_INVALID  `details.reason` is a {@link SpiffeIdFault}
 * @spec SPIFFE-ID §2
 */
export function parseSpiffeId(text: string, options: ParseSpiffeIdOptions = {}): SpiffeId {
  const fault = spiffeIdFault(text, options);
  if (fault === undefined && isChecked(text)) return text;
  throw new BonafideError(SPIFFE_ERRORS, "SPIFFE_ID_INVALID", `not a SPIFFE ID: ${fault ?? ""}`, {
    details: { reason: fault ?? "scheme" },
  });
}

/** Whether `text` is a SPIFFE ID of at most 2048 bytes. */
export function isSpiffeId(text: string): text is SpiffeId {
  return spiffeIdFault(text) === undefined;
}

/**
 * Builds the ID of a trust domain, or of a path in it.
 *
 * @param segments  Path segments without slashes; none gives the trust domain's own ID.
 * @throws SPIFFE_ID_INVALID  a segment is empty, a dot segment or has a byte outside `[a-zA-Z0-9.-_]`, or the ID would
 *   be longer than 2048 bytes
 */
export function spiffeIdOf(trustDomain: TrustDomain, ...segments: readonly string[]): SpiffeId {
  for (const segment of segments) {
    if (segment.includes("/")) {
      throw new BonafideError(SPIFFE_ERRORS, "SPIFFE_ID_INVALID", "a segment holds a slash", {
        details: { reason: "path-character" },
      });
    }
  }
  return parseSpiffeId(PREFIX + [trustDomain, ...segments].join("/"));
}

/** The trust domain of an ID. */
export function trustDomainOf(id: SpiffeId): TrustDomain {
  const slash = id.indexOf("/", PREFIX.length);
  const host = id.slice(PREFIX.length, slash === -1 ? undefined : slash);
  if (!isTrustDomain(host)) throw new TypeError("a SpiffeId that was never parsed");
  return host;
}

/** The path of an ID with its leading slash; empty for a trust domain's own ID. */
export function pathOf(id: SpiffeId): string {
  const slash = id.indexOf("/", PREFIX.length);
  return slash === -1 ? "" : id.slice(slash);
}

/** The path segments of an ID; none for a trust domain's own ID. */
export function segmentsOf(id: SpiffeId): readonly string[] {
  return pathOf(id).split("/").slice(1);
}

/** Whether an ID lies in a trust domain; the domain's own ID does. */
export function isMemberOf(id: SpiffeId, trustDomain: TrustDomain): boolean {
  return trustDomainOf(id) === trustDomain;
}

/** Whether an ID lies under `/spire`, which belongs to servers and agents and is never given to a workload. */
export function isReserved(id: SpiffeId): boolean {
  const path = pathOf(id);
  return path === "/spire" || path.startsWith("/spire/");
}

/** A proof for the compiler, used right after the check; the only way a string becomes a {@link SpiffeId}. */
function isChecked(_text: string): _text is SpiffeId {
  return true;
}

/** `start` is the index of the path's first slash. */
function pathFault(text: string, start: number): SpiffeIdFault | undefined {
  for (let from = start + 1; ;) {
    let to = from;
    let dots = 0;
    for (; to < text.length && text.charCodeAt(to) !== SLASH; to++) {
      const code = text.charCodeAt(to);
      if (code === 0x2e) dots++;
      else if (!isSegmentCode(code)) return "path-character";
    }
    if (to === from) return to === text.length ? "trailing-slash" : "empty-segment";
    if (dots === to - from && dots <= 2) return "dot-segment";
    if (to === text.length) return undefined;
    from = to + 1;
  }
}

/** `[a-zA-Z0-9-_]`; the dot is counted by the caller. */
function isSegmentCode(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x30 && code <= 0x39) ||
    code === 0x2d ||
    code === 0x5f
  );
}
