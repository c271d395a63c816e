import { BUNDLE_LIFE_MS_MAX, SLICES_MAX } from "../../limits.ts";
import { Fields } from "../folder/fields.ts";
import { canonicalJson, parseCanonicalJson } from "./canonical-json.ts";
import { isSliceName } from "./envelope.ts";
import { parseHex } from "./hex.ts";
import { refuse } from "./refuse.ts";

/** Of which kind of evaluator a bundle is; it rises when an older one would decide otherwise. */
export const ENGINE_VERSION = 1;

const FORMAT = 1;

/** What a manifest promises of one slice. */
export interface SliceDigest {
  /** SHA-256, hex. */
  readonly sha256: string;
  readonly bytes: number;
}

/** What the policy keys sign. */
export interface Manifest {
  readonly trustDomain: string;
  /** Rises with each bundle of the trust domain; never falls. */
  readonly serial: number;
  /** SHA-256 of the manifest before this one, hex; missing for the first. */
  readonly previous?: string;
  /** The revision that the folder was read at. */
  readonly commit?: string;
  /** SHA-256 of the schema that policies were written against, hex. */
  readonly schema: string;
  /** The least {@link ENGINE_VERSION} that decides it rightly. */
  readonly engine: number;
  /** Epoch ms. */
  readonly issued: number;
  /** Epoch ms; from then on nothing is permitted by it. */
  readonly expires: number;
  readonly slices: ReadonlyMap<string, SliceDigest>;
}

/** The bytes of a manifest. @throws BUNDLE_MALFORMED */
export function formatManifest({ slices, ...manifest }: Manifest): Uint8Array<ArrayBuffer> {
  const json = { format: FORMAT, ...manifest, slices: Object.fromEntries(slices) };
  return new TextEncoder().encode(canonicalJson(json));
}

/**
 * Reads the bytes of a manifest, after its signatures are verified.
 *
 * @throws BUNDLE_MALFORMED, BUNDLE_UNSUPPORTED
 */
export function parseManifest(bytes: Uint8Array): Manifest {
  const fields = new Fields(parseCanonicalJson(bytes), malformed);
  if (fields.count("format") !== FORMAT) throw unsupported("its manifest is of another format");
  const [previous, commit] = [fields.optionalText("previous"), fields.optionalText("commit")];
  const manifest = {
    trustDomain: fields.text("trustDomain"),
    serial: fields.count("serial"),
    ...(previous !== undefined && { previous: hexOf(previous) }),
    ...(commit !== undefined && { commit }),
    schema: hexOf(fields.text("schema")),
    engine: fields.count("engine"),
    issued: fields.count("issued"),
    expires: fields.count("expires"),
    slices: new Map(fields.parts("slices").map(readSlice)),
  };
  fields.end();
  if (manifest.engine > ENGINE_VERSION) throw unsupported("it needs a newer evaluator");
  const life = manifest.expires - manifest.issued;
  if (life <= 0 || life > BUNDLE_LIFE_MS_MAX) malformed("its life is none, or too long");
  if (manifest.serial < 1) malformed("its serial is not above zero");
  if (manifest.slices.size > SLICES_MAX) malformed("it has too many slices");
  return manifest;
}

function readSlice([name, json]: readonly [string, unknown]): [string, SliceDigest] {
  const fields = new Fields(json, malformed);
  const slice = { sha256: hexOf(fields.text("sha256")), bytes: fields.count("bytes") };
  fields.end();
  if (!isSliceName(name)) malformed("a slice has no name");
  return [name, slice];
}

function hexOf(text: string): string {
  if (parseHex(text, 32) === undefined) malformed("a digest is none");
  return text;
}

function malformed(reason: string): never {
  throw refuse("BUNDLE_MALFORMED", `the manifest cannot be used: ${reason}`);
}

function unsupported(reason: string): Error {
  return refuse("BUNDLE_UNSUPPORTED", `the bundle cannot be used here: ${reason}`);
}
