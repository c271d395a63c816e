import { isJsonArray, isJsonObject } from "../engine/json.ts";

/** Characters that nobody sees, or that change how others are seen. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}]/u;
/** In a sentence for people, what ends a line is welcome, and so is what emoji are made of; what turns text around is not. */
const UNSEEN_IN_PROSE = /(?![\t\n\r])[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}\p{Cs}]/u;
const PROSE: ReadonlySet<string> = new Set(["reason"]);

/** What is wrong with how a text looks; `undefined` if it is what it looks like. */
export function unseenIn(
  text: string,
  { isProse = false }: { readonly isProse?: boolean } = {},
): string | undefined {
  const [sign] = (isProse ? UNSEEN_IN_PROSE : UNSEEN).exec(text) ?? [];
  if (sign !== undefined) return `holds U+${codeOf(sign)}, which nobody sees`;
  return isProse || text === text.normalize("NFC") ? undefined : "is not in the normal form NFC";
}

/**
 * The first text within a value, names of fields included, that does not look like what it is. Two names that look the
 * same would be two people, groups or tags to us.
 */
export function unseenText(
  json: unknown,
): { readonly text: string; readonly why: string } | undefined {
  // A part may stand in several places; each is looked at once.
  const seen = new Set<unknown>();
  const todo: { readonly value: unknown; readonly isProse: boolean }[] = [
    { value: json, isProse: false },
  ];
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const { value, isProse } = next;
    if (typeof value === "string") {
      const why = unseenIn(value, { isProse });
      if (why !== undefined) return { text: value, why };
    } else if (!seen.has(value)) {
      seen.add(value);
      if (isJsonArray(value)) todo.push(...value.map((item) => ({ value: item, isProse })));
      else if (isJsonObject(value)) {
        for (const [name, item] of Object.entries(value)) {
          const isSentence = PROSE.has(name) && typeof item === "string";
          todo.push({ value: name, isProse: false }, { value: item, isProse: isSentence });
        }
      }
    }
  }
  return undefined;
}

/** A text with what is not seen in it written out. */
export function visible(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}]/gu,
    (sign) => `\\u{${codeOf(sign).toLowerCase()}}`,
  );
}

function codeOf(sign: string): string {
  return (sign.codePointAt(0) ?? 0).toString(16).toUpperCase();
}
