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
}

/**
 * Reads a page request. A token is the decimal number of the last row told, as SPIRE's is.
 *
 * @throws PAGE_TOKEN_INVALID
 */
export function pageRequest(pageSize: number, pageToken: string): PageRequest {
  if (pageToken !== "" && !/^(0|[1-9][0-9]{0,15})$/.test(pageToken)) {
    throw new BonafideError(SERVER_ERRORS, "PAGE_TOKEN_INVALID", "not a page token of this server");
  }
  const paged = pageSize > 0;
  return {
    after: pageToken === "" ? 0 : Number(pageToken),
    limit: paged ? Math.min(pageSize, LIMITS.listPage) : LIMITS.listPage,
    paged,
  };
}

/**
 * The token that continues after these rows: that of the last one whenever there was one, so that a client always ends
 * on an empty page, as SPIRE's do.
 */
export function nextPageToken(page: PageRequest, lastRow: number | undefined): string {
  return page.paged && lastRow !== undefined ? String(lastRow) : "";
}
