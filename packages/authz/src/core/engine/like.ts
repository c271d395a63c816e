/** A `like` pattern: texts with a wildcard between each two of them; so one text alone has no wildcard. */
export type LikePattern = readonly string[];

/** Whether all of `text` matches; a wildcard stands for any text, also none. Linear in `text` per part. */
export function matchesLike(text: string, parts: LikePattern): boolean {
  const first = parts[0] ?? "";
  if (parts.length === 1) return text === first;
  const last = parts.at(-1) ?? "";
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  const end = text.length - last.length;
  let from = first.length;
  if (from > end) return false;
  for (const part of parts.slice(1, -1)) {
    const at = text.indexOf(part, from);
    if (at === -1 || at + part.length > end) return false;
    from = at + part.length;
  }
  return true;
}
