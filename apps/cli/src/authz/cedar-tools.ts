import type { FolderTools, PolicyComplaint } from "@bonafide/authz";
import type { DetailedError, PolicyJson, ValidationError } from "@cedar-policy/cedar-wasm/nodejs";
import { parse } from "yaml";

/**
 * Cedar's own parser and validator, and a YAML parser. Loaded when first asked for: the WebAssembly module takes some
 * 40 ms and 14 MB, which no other command pays for.
 */
export async function loadCedarTools(): Promise<FolderTools> {
  const cedar = await import("@cedar-policy/cedar-wasm/nodejs");
  return {
    cedar: (text) => {
      const answer = cedar.policyToJson(text);
      if (answer.type === "failure") throw new Error(messageOf(answer.errors));
      return answer.json;
    },
    yaml: (text): unknown => parse(text),
    validate: (schema, policies) => {
      const answer = cedar.validate({
        schema,
        policies: {
          // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is judged here
          staticPolicies: Object.fromEntries(policies) as Record<string, PolicyJson>,
        },
      });
      // Not even a policy set: what is wrong is said of the first, since Cedar does not say of which.
      if (answer.type === "failure") {
        const [policyId = ""] = policies.keys();
        return [{ policyId, reason: messageOf(answer.errors) }];
      }
      // A policy that can never apply is a warning to Cedar; here it protects nobody, or grants nothing.
      const complaints = [
        ...answer.validationErrors,
        ...answer.validationWarnings.filter(({ error }) => /impossible/i.test(error.message)),
      ];
      return onePerPolicy(complaints);
    },
  };
}

/** Cedar says the same once for each action, in no order: the first by alphabet stands for all of a policy. */
function onePerPolicy(errors: readonly ValidationError[]): readonly PolicyComplaint[] {
  const reasons = new Map<string, Set<string>>();
  for (const { policyId, error } of errors) {
    const known = reasons.get(policyId) ?? new Set();
    reasons.set(policyId, known.add(textOf(error)));
  }
  return [...reasons].map(([policyId, texts]) => {
    const [first = ""] = [...texts].toSorted();
    const more = texts.size === 1 ? "" : ` (and ${texts.size - 1} more like it)`;
    return { policyId, reason: `${first}${more}` };
  });
}

function messageOf(errors: readonly DetailedError[]): string {
  return errors.map(textOf).join("; ");
}

/** One line: Cedar's message, which names the policy again, and its help. */
function textOf({ message, help }: DetailedError): string {
  const bare = message.replace(/^for policy `[^`]*`, /, "");
  return (help === null || help === undefined ? bare : `${bare}: ${help}`).replaceAll(/\s+/g, " ");
}
