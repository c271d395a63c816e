import type { Policy } from "../engine/policy.ts";
import type { AccessModel } from "../model/model.ts";
import type { SourcedTest } from "./read-tests.ts";

/** A team, as `org.yaml` has it. */
export interface Team {
  readonly name: string;
  /** Groups or people of the git host who own the folder. */
  readonly owners: readonly string[];
  readonly parent: string | undefined;
  /** Prefixes of SPIFFE IDs that are theirs. */
  readonly ids: readonly string[];
}

/** What `org.yaml` says. */
export interface Org {
  readonly teams: ReadonlyMap<string, Team>;
  /** Who owns the guardrails and `org.yaml` itself. */
  readonly owners: readonly string[];
  /** Who approves, by class of data, and under `federated` for callers of other trust domains. */
  readonly approvers: ReadonlyMap<string, string>;
}

/** A policy with where it stands. */
export interface SourcedPolicy {
  /** The team's name or `guardrails`, a slash, and the policy's own id. */
  readonly id: string;
  readonly file: string;
  readonly line: number;
  /** `undefined` for a guardrail. */
  readonly team: string | undefined;
  /** Shadow policies are evaluated and never enforced. */
  readonly shadow: boolean;
  readonly policy: Policy;
  /** The JSON policy form as it is compiled: an `@expires` is a condition in it. */
  readonly json: unknown;
}

/** Access that was asked for. */
export interface AccessAsk {
  readonly file: string;
  readonly requestedBy: string;
  readonly approvedBy: readonly string[];
}

/** An access model as a folder has it. */
export interface Folder {
  /** Texts by path, as they were read; for lines of findings. */
  readonly files: ReadonlyMap<string, string>;
  readonly org: Org;
  readonly model: AccessModel;
  readonly policies: readonly SourcedPolicy[];
  readonly asks: readonly AccessAsk[];
  readonly tests: readonly SourcedTest[];
}

/**
 * The policies of a folder by id, ready to be compiled: those that are enforced, or with `shadow` those together with
 * what is only tried, to see what it would change.
 */
export function policiesOf(
  { policies }: Folder,
  options: { readonly shadow?: boolean } = {},
): ReadonlyMap<string, unknown> {
  const wanted = policies.filter(({ shadow }) => !shadow || options.shadow === true);
  return new Map(wanted.map(({ id, json }) => [id, json]));
}
