import type { StatusName } from "@bonafide/errors";

/** gRPC's number of each status that an error may have. */
export const STATUS_CODES = {
  cancelled: 1,
  unknown: 2,
  invalid_argument: 3,
  deadline_exceeded: 4,
  not_found: 5,
  already_exists: 6,
  permission_denied: 7,
  resource_exhausted: 8,
  failed_precondition: 9,
  aborted: 10,
  out_of_range: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  data_loss: 15,
  unauthenticated: 16,
} as const;
STATUS_CODES satisfies Readonly<Record<StatusName, number>>;

const NAMES: ReadonlyMap<number, StatusName> = new Map(
  statusNames().map((name) => [STATUS_CODES[name], name]),
);

/** The name of a gRPC code; a number gRPC does not know is "unknown", as the protocol says. */
export function statusName(code: number): StatusName {
  return NAMES.get(code) ?? "unknown";
}

function statusNames(): readonly StatusName[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of a constant
  return Object.keys(STATUS_CODES) as StatusName[];
}
