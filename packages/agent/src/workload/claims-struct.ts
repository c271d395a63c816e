import { isJsonArray, type JsonValue, type VerifiedJwtSvid } from "@bonafide/spiffe";

/** JSON as `google.protobuf.Struct` carries it. */
type Plain = null | boolean | number | string | Plain[] | { [name: string]: Plain };

/** What every caller may know of a token of another trust domain; the rest means what that domain says (SID-22). */
const OF_ANYBODY: ReadonlySet<string> = new Set(["sub", "aud", "exp"]);

/**
 * The claims of a verified token as the Workload API tells them: `aud` always as a list, and of another trust domain's
 * token only subject, audience and end, and what the operator allows beside.
 */
export function claimsStruct(
  { claims, audience }: VerifiedJwtSvid,
  { isOurs, alsoForeign }: { readonly isOurs: boolean; readonly alsoForeign: ReadonlySet<string> },
): { [name: string]: Plain } {
  const told: [string, Plain][] = [];
  for (const [name, value] of claims) {
    if (!isOurs && !OF_ANYBODY.has(name) && !alsoForeign.has(name)) continue;
    told.push([name, name === "aud" ? [...audience] : plain(value)]);
  }
  return Object.fromEntries(told);
}

function plain(value: JsonValue): Plain {
  if (typeof value === "bigint") return Number(value);
  if (isJsonArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries([...value].map(([name, member]) => [name, plain(member)]));
}
