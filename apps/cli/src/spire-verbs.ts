/** A verb of SPIRE's command lines and what says the same here. */
export interface SpireVerb {
  readonly program: "spire-server" | "spire-agent";
  readonly verb: string;
  /** The command here; undefined: there is none. */
  readonly ours: string | undefined;
  /** Why there is none, and what to do instead. */
  readonly instead?: string;
}

type Row = string | readonly [verb: string, ours: string | undefined, instead?: string];

const SERVER: readonly Row[] = [
  ["run", "server run"],
  ["validate", "server validate"],
  ["healthcheck", "server healthcheck"],
  ["token generate", "token create"],
  "entry create",
  "entry update",
  "entry delete",
  "entry show",
  "entry count",
  "agent list",
  "agent show",
  "agent count",
  "agent ban",
  "agent evict",
  "agent purge",
  "bundle show",
  "bundle list",
  "bundle set",
  "bundle delete",
  "bundle count",
  "federation create",
  "federation update",
  "federation delete",
  "federation list",
  "federation show",
  "federation refresh",
  "x509 mint",
  "jwt mint",
  ["wit mint", undefined, "WIT-SVIDs are not there yet"],
  "localauthority x509 show",
  "localauthority x509 prepare",
  "localauthority x509 activate",
  "localauthority x509 taint",
  "localauthority x509 revoke",
  "localauthority jwt show",
  "localauthority jwt prepare",
  "localauthority jwt activate",
  "localauthority jwt taint",
  "localauthority jwt revoke",
  "upstreamauthority taint",
  "upstreamauthority revoke",
  ["logger get", "server logger get"],
  ["logger set", "server logger set"],
  ["logger reset", "server logger reset"],
  ["debug getinfo", "server info"],
];

const AGENT: readonly Row[] = [
  ["run", "agent run"],
  ["validate", "agent validate"],
  ["healthcheck", "agent healthcheck"],
  ["api fetch", "api fetch x509"],
  "api fetch x509",
  "api fetch jwt",
  "api validate jwt",
  "api watch",
  ["logger get", "agent logger get"],
  ["logger set", "agent logger set"],
  ["logger reset", "agent logger reset"],
  ["debug getinfo", "agent info"],
];

/** Every verb of SPIRE 1.16, in the order of its help. */
export const SPIRE_VERBS: readonly SpireVerb[] = [
  ...SERVER.map((row) => verbOf("spire-server", row)),
  ...AGENT.map((row) => verbOf("spire-agent", row)),
];

function verbOf(program: SpireVerb["program"], row: Row): SpireVerb {
  if (typeof row === "string") return { program, verb: row, ours: row };
  const [verb, ours, instead] = row;
  return { program, verb, ours, ...(instead === undefined ? {} : { instead }) };
}

/**
 * What to tell somebody who types a verb of SPIRE's that is spelt otherwise here, or not there.
 *
 * @param words  What was typed, flags left out.
 * @param exists  Whether a command of ours is there.
 * @returns undefined: it is none of SPIRE's.
 */
export function spireAnswer(
  words: readonly string[],
  exists: (name: string) => boolean,
): string | undefined {
  const typed = SPIRE_VERBS.filter(({ verb }) =>
    verb.split(" ").every((part, i) => words[i] === part),
  );
  const [longest] = typed.toSorted((a, b) => b.verb.length - a.verb.length);
  if (longest === undefined) return undefined;
  const meant = typed.filter(({ verb }) => verb === longest.verb);
  const ours = meant.flatMap(({ ours: name }) =>
    name !== undefined && exists(name) ? [name] : [],
  );
  const [instead = "there is no such command yet"] = meant.flatMap((verb) => verb.instead ?? []);
  if (ours.length === 0)
    return `${longest.verb} is a command of ${longest.program}; in Bonafide: ${instead}`;
  const named = ours.map((name) => `bonafide ${name}`).join(", or ");
  return `${longest.verb} is a command of ${meant.map(({ program }) => program).join(" and ")}; in Bonafide: ${named}`;
}
