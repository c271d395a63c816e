import type { PageRequest as StorePage } from "@bonafide/plugin-api";
import type { PageRequest } from "../core/page.ts";
import { LIMITS } from "../limits.ts";

/**
 * Reads the page that was asked for; or, if the caller wants no pages, every row, a bounded part at a time. What does
 * not fit into one message is then refused by the transport: such a caller has to ask for pages.
 */
export async function allPages<T extends { readonly firstN: number }>(
  page: PageRequest,
  read: (part: StorePage) => Promise<readonly T[]>,
): Promise<readonly T[]> {
  if (page.paged) return read({ afterFirstN: page.after, limit: page.limit });
  const rows: T[] = [];
  for (let after = page.after; ;) {
    const part = await read({ afterFirstN: after, limit: LIMITS.listPage });
    rows.push(...part);
    const last = part.at(-1);
    if (last === undefined || part.length < LIMITS.listPage) return rows;
    after = last.firstN;
  }
}
