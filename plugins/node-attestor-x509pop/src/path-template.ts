import { BonafideError } from "@bonafide/errors";
import { NODE_ATTESTOR_ERRORS } from "@bonafide/plugin-api";

/** What a template can name, spelled as SPIRE's templates spell it. */
export interface PathFacts {
  readonly PluginName: string;
  /** Hex SHA-1 of the certificate. */
  readonly Fingerprint: string;
  readonly TrustDomain: string;
  readonly SerialNumberHex: string;
  /** Undefined: the certificate has none. */
  readonly "Subject.CommonName": string | undefined;
  /** Mode `spiffe` only: the path of its SPIFFE ID without the prefix. */
  readonly SVIDPathTrimmed: string | undefined;
}

const FIELD = /\{\{ ?\.([A-Za-z]+(?:\.[A-Za-z]+)?) ?\}\}/g;
const NAMES: ReadonlySet<string> = new Set<keyof PathFacts>([
  "PluginName",
  "Fingerprint",
  "TrustDomain",
  "SerialNumberHex",
  "Subject.CommonName",
  "SVIDPathTrimmed",
]);
/** Characters of a template, and of what it makes. */
const CHARACTERS_MAX = 1024;

/**
 * Checks a template of agents' paths: text, and fields such as `{{ .Fingerprint }}`. Functions and conditions of Go's
 * templates are not there.
 *
 * @throws NODE_ATTESTOR_MISCONFIGURED
 */
export function checkPathTemplate(template: string): void {
  const rest = template.replaceAll(FIELD, (whole, name: string) => (NAMES.has(name) ? "x" : whole));
  const isPath = /^\/?[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/.test(rest);
  if (isPath && template.length <= CHARACTERS_MAX) return;
  throw new BonafideError(
    NODE_ATTESTOR_ERRORS,
    "NODE_ATTESTOR_MISCONFIGURED",
    `agent_path_template is no path of text and of ${[...NAMES].map((name) => `{{ .${name} }}`).join(", ")}`,
  );
}

/** The path of an agent below `/spire/agent`, with its leading slash; undefined: a fact is missing or does not fit. */
export function agentPath(template: string, facts: PathFacts): string | undefined {
  let isWhole = true;
  const path = template.replaceAll(FIELD, (_whole, name: string) => {
    const value: unknown = Reflect.get(facts, name);
    if (typeof value === "string" && isFitting(name, value)) return value;
    isWhole = false;
    return "";
  });
  if (!isWhole || path.length > CHARACTERS_MAX) return undefined;
  const whole = path.startsWith("/") ? path : `/${path}`;
  const isPath = whole
    .slice(1)
    .split("/")
    .every((segment) => isSegment(segment));
  return isPath ? whole : undefined;
}

/** Of all facts only an ID's path may bring segments of its own: a common name must not reach into another's place. */
function isFitting(name: string, value: string): boolean {
  return name === "SVIDPathTrimmed" ? value !== "" : isSegment(value);
}

function isSegment(text: string): boolean {
  return /^[A-Za-z0-9._-]+$/.test(text) && text !== "." && text !== "..";
}
