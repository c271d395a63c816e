import {
  CallerEntities,
  type DecisionRecord,
  openRecordedBundle,
  parseDecisionRecord,
  type RecordedBundle,
  replayRecord,
  why,
} from "@bonafide/authz";
import { BonafideError } from "@bonafide/errors";
import { usage } from "../arguments/parse-flags.ts";
import { CLI_ERRORS } from "../errors.ts";
import { instantText, readBundle, trustOf } from "./bundle-files.ts";
import { explanationJson, explanationText } from "./explanation.ts";
import { readLines } from "./read-files.ts";

/** Flags that name a recorded decision and what it was made by. */
export const REPLAY_FLAGS = {
  record: {
    kind: "string",
    help: "explain a recorded decision instead: a file of decision records",
    placeholder: "FILE",
  },
  id: { kind: "string", help: "which one of several, by its id" },
  bundle: { kind: "string", help: "the bundle that it names", placeholder: "FILE" },
  trust: {
    kind: "string",
    help: "public policy keys as PEM that the bundle has to be signed by",
    placeholder: "FILE",
  },
  threshold: { kind: "integer", help: "how many of these keys", placeholder: "K", standard: "1" },
} as const;

/** What became of a decision that was made again. */
export interface Replay {
  readonly text: string;
  readonly json: Readonly<Record<string, unknown>>;
  readonly allowed: boolean;
  /** Whether every answer is the one that was recorded. */
  readonly isSame: boolean;
}

interface ReplayOptions {
  readonly record: string;
  readonly id: string | undefined;
  readonly bundle: string | undefined;
  readonly trust: string | undefined;
  readonly threshold: number | undefined;
}

/**
 * Makes a recorded decision again, by the bundle whose digest it names.
 *
 * @throws USAGE, FILE_UNREADABLE, RECORD_MALFORMED
 * @throws AUTHZ_BUNDLE_DIFFERS  the decision was made by another bundle
 * @throws BUNDLE_UNTRUSTED and others of {@link openRecordedBundle}
 */
export async function replayDecision(options: ReplayOptions): Promise<Replay> {
  const record = findRecord(options.record, options.id);
  if (record.bundle === undefined) return withoutBundle(record);
  const { bundle: file, trust, threshold } = options;
  if (file === undefined || trust === undefined) throw usage("--record needs --bundle and --trust");
  // Whose it is and when it ended matters for what it decided then, and nothing is decided now.
  const bundle = await openRecordedBundle(readBundle(file), {
    trust: await trustOf({ trust, threshold }),
  });
  if (bundle.ref.digest !== record.bundle.digest) {
    const [named, given] = [record.bundle.digest, bundle.ref.digest].map((hex) => hex.slice(0, 16));
    throw differs(`decision ${record.id} was made by bundle ${named ?? ""}, not ${given ?? ""}`);
  }
  return explain(record, bundle);
}

/** Where there was no bundle there is nothing to replay, and one answer. */
function withoutBundle({ id, at, allowed, reason, edges }: DecisionRecord): Replay {
  const isSame = !allowed && reason === "no_bundle" && edges.length === 0;
  const text = `decision ${id} of ${instantText(at)}, without a bundle: ${allowed ? "allowed" : "denied"}: ${reason}`;
  const json = { record: id, at, allowed, reason, same: isSame, edges: [] };
  return { text: `${text}\n${sameText(isSame)}`, json, allowed, isSame };
}

function sameText(isSame: boolean): string {
  return isSame ? "the same answer as recorded" : "another answer than was recorded";
}

function explain(record: DecisionRecord, bundle: RecordedBundle): Replay {
  const replayed = replayRecord(bundle, record);
  const { isSame } = replayed;
  const edges = replayed.edges.map((edge) => ({
    request: edge.request,
    isSame: edge.isSame,
    explanation: why(bundle.policies, new CallerEntities(bundle).of(record.caller), edge.request),
  }));
  const places = new Map<string, never>();
  const answer = `${record.allowed ? "allowed" : "denied"}: ${record.reason}`;
  const text = [
    `decision ${record.id} of ${instantText(record.at)}, bundle ${record.bundle?.serial ?? "?"}: ${answer}`,
    ...edges.map(({ request, explanation }) => explanationText(request, explanation, places)),
    ...(edges.length === 0 ? ["it never came to policies"] : []),
    ...remarkOf(record, bundle),
    sameText(isSame),
  ];
  return {
    text: text.join("\n"),
    json: {
      record: record.id,
      at: record.at,
      allowed: record.allowed,
      reason: record.reason,
      same: isSame,
      edges: edges.map(({ request, explanation, isSame: same }) => ({
        same,
        ...explanationJson(request, explanation, places),
      })),
    },
    allowed: record.allowed,
    isSame,
  };
}

/** The record of an id, or the only one of a file. */
function findRecord(file: string, id: string | undefined): DecisionRecord {
  let found: DecisionRecord | undefined;
  for (const line of readLines(file)) {
    if (line.trim() === "") continue;
    const record = parseDecisionRecord(line);
    if (id === undefined && found !== undefined) throw usage("there are several; give one by --id");
    if (id === undefined || record.id === id) found = record;
  }
  if (found === undefined) throw usage(`${file} has no decision ${id ?? ""}`);
  return found;
}

/** What a replay cannot see, or did not ask policies for. */
function remarkOf({ reason }: DecisionRecord, { manifest }: RecordedBundle): readonly string[] {
  switch (reason) {
    case "bundle_expired":
      return [`the bundle had ended at ${instantText(manifest.expires)}`];
    case "token_invalid":
    case "actor_mismatch":
    case "grant_missing":
    case "grant_exceeded":
      return ["it rests on the token, which no record holds"];
    case "route_disagreement":
      return ["it rests on the route that the framework found, which no record holds"];
    default:
      return [];
  }
}

function differs(message: string): BonafideError {
  return new BonafideError(CLI_ERRORS, "AUTHZ_BUNDLE_DIFFERS", message);
}
