import {
  CallerEntities,
  type DecisionRecord,
  parseDecisionRecord,
  replayRecord,
  type VerifiedBundle,
  verifyBundle,
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
 * @throws AUTHZ_BUNDLE_DIFFERS  the decision was made by another bundle, or by none
 * @throws BUNDLE_UNTRUSTED and others of {@link verifyBundle}
 */
export async function replayDecision(options: ReplayOptions): Promise<Replay> {
  const record = findRecord(options.record, options.id);
  if (record.bundle === undefined) {
    throw differs(`decision ${record.id} was made without a bundle: ${record.reason}`);
  }
  const { bundle: file, trust, threshold } = options;
  if (file === undefined || trust === undefined) throw usage("--record needs --bundle and --trust");
  const bundle = await verifyBundle(readBundle(file), {
    trust: await trustOf({ trust, threshold }),
    // The digest below says whose it is, and the time of the decision whether it was good then.
    trustDomain: trustDomainOf(record.caller),
    now: record.at,
  });
  if (bundle.ref.digest !== record.bundle.digest) {
    const [named, given] = [record.bundle.digest, bundle.ref.digest].map((hex) => hex.slice(0, 16));
    throw differs(`decision ${record.id} was made by bundle ${named ?? ""}, not ${given ?? ""}`);
  }
  return explain(record, bundle);
}

function explain(record: DecisionRecord, bundle: VerifiedBundle): Replay {
  const entities = new CallerEntities(bundle).of(record.caller);
  const edges = replayRecord(bundle, record).map(({ request, isSame }) => ({
    request,
    isSame,
    explanation: why(bundle.policies, entities, request),
  }));
  const places = new Map<string, never>();
  const isSame = edges.every((edge) => edge.isSame);
  const answer = `${record.allowed ? "allowed" : "denied"}: ${record.reason}`;
  const text = [
    `decision ${record.id} of ${instantText(record.at)}, bundle ${record.bundle?.serial ?? "?"}: ${answer}`,
    ...edges.map(({ request, explanation }) => explanationText(request, explanation, places)),
    ...(edges.length === 0 ? ["it never came to policies"] : []),
    isSame ? "the same answer as recorded" : "another answer than was recorded",
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

function trustDomainOf(id: string): string {
  return /^spiffe:\/\/([^/]+)/.exec(id)?.[1] ?? "";
}

function differs(message: string): BonafideError {
  return new BonafideError(CLI_ERRORS, "AUTHZ_BUNDLE_DIFFERS", message);
}
