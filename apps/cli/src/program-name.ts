import { basename, delimiter, isAbsolute, join } from "node:path";

/** Set by the launcher script of a checkout: the word by which it was called. */
export const CALLED_AS = "BONAFIDE_CALLED_AS";

/** What programs and pages call this program. */
const NAME = "bonafide";

/**
 * The word that calls this program again from this terminal: a path such as `./bonafide` in a checkout, the bare name
 * where it is found on PATH.
 */
export function programName(env: Readonly<Record<string, string | undefined>>): string {
  const calledAs = env[CALLED_AS];
  if (calledAs === undefined || calledAs === "") return NAME;
  const name = basename(calledAs);
  // The kernel hands a script that was found on PATH its full path.
  const onPath = (env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, name));
  if (!calledAs.includes("/") || (isAbsolute(calledAs) && onPath.includes(calledAs))) return name;
  return /^[\w./+@%:,-]+$/.test(calledAs) ? calledAs : `'${calledAs.replaceAll("'", "'\\''")}'`;
}

/** First words of commands: what tells a command in a sentence from the project's name. */
const COMMAND =
  /(?<![\w./-])bonafide (?=(?:--help|up|server|agent|token|entry|bundle|federation|localauthority|upstreamauthority|oidc|api|jwt|x509|exec|whoami|why|status|ledger|backup|restore|import|export|completion|authz|COMMAND)\b(?!:))/g;

/**
 * Text for people, in which every command reads as they would type it here. Servers and agents say `bonafide`: they do not
 * know who reads it, or where.
 */
export function asCalled(program: string, text: string): string {
  return program === NAME ? text : text.replaceAll(COMMAND, () => `${program} `);
}
