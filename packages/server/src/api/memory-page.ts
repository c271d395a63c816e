import type { PageRequest } from "../core/page.ts";

/**
 * The page that was asked for, of objects that are few enough to be listed from memory: other trust domains and how
 * their bundles are fetched. In the order in which they were made, as a store lists.
 */
export function memoryPage<T extends { readonly firstN: number }>(
  all: Iterable<T>,
  page: PageRequest,
): readonly T[] {
  const rows = [...all]
    .filter(({ firstN }) => firstN > page.after)
    .toSorted((a, b) => a.firstN - b.firstN);
  return page.paged ? rows.slice(0, page.limit) : rows;
}
