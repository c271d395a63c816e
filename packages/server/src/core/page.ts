import { BonafideError } from "@bonafide/errors";
import { SERVER_ERRORS } from "../errors.ts";
import { LIMITS } from "../limits.ts";

/** Which part of a list is asked for. */
export interface PageRequest {
  /** The last row that was already told; 0: from the start. */
  readonly after: number;
  /** Rows at most. */
  readonly limit: number;
  /** Whether the caller wants pages at all; otherwise it wants everything in one answer. */
  readonly paged: boolean;
  /** The list's name, which its tokens begin with. */
  readonly list: string;
}

/**
 * Reads a page request. A token is the list's name and the number of the last row told: it holds for as long as the
 * list does, whatever is added or removed meanwhile, and for no other list.
 *
 * @param list  Name of the list, letters only.
 * @throws PAGE_TOKEN_INVALID
 */
export function pageRequest(pageSize: number, pageToken: string, list: string): PageRequest {
  const paged = pageSize > 0;
  return {
    after: pageToken === "" ? 0 : rowOf(pageToken, list),
    limit: paged ? Math.min(pageSize, LIMITS.listPage) : LIMITS.listPage,
    paged,
    list,
  };
}

/**
 * The token that continues after these rows: that of the last one whenever there was one, so that a client always ends
 * on an empty page, as SPIRE's do.
 */
export function nextPageToken(page: PageRequest, lastRow: number | undefined): string {
  return page.paged && lastRow !== undefined ? `${page.list}-${lastRow}` : "";
}

function rowOf(token: string, list: string): number {
  const [name, digits = "", ...rest] = token.split("-", 3);
  const row = /^[1-9][0-9]{0,15}$/.test(digits) ? Number(digits) : 0;
  if (name === list && rest.length === 0 && row > 0 && Number.isSafeInteger(row)) return row;
  throw new BonafideError(SERVER_ERRORS, "PAGE_TOKEN_INVALID", "not a page token of this list");
}
