import type { UriConstraints } from "../x509/certificate.ts";

const AUTHORITY = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#@]*@)?([a-z0-9._-]+)(?::[0-9]*)?(?:[/?#]|$)/i;
const IPV4 = /^[0-9.]+$/;

/**
 * The host of a URI, in lower case.
 *
 * @returns Undefined when it has none, or an IP address: such a URI cannot meet a constraint (RFC 5280 §4.2.1.10).
 */
export function uriHost(uri: string): string | undefined {
  const host = AUTHORITY.exec(uri)?.[1]?.toLowerCase();
  return host === undefined || IPV4.test(host) ? undefined : host;
}

/** Whether a host is the constraint's, or lies under it when it begins with a dot. */
function isWithin(host: string, constraint: string): boolean {
  if (!constraint.startsWith(".")) return host === constraint;
  return host.length > constraint.length && host.endsWith(constraint);
}

/**
 * Whether an authority may vouch for a host.
 *
 * @param host  Undefined for a URI whose host is not known: never allowed.
 */
export function isHostAllowed(constraints: UriConstraints, host: string | undefined): boolean {
  if (host === undefined || IPV4.test(host)) return false;
  const name = host.toLowerCase();
  if (constraints.excluded.some((constraint) => isWithin(name, constraint))) return false;
  const { permitted } = constraints;
  return permitted === undefined || permitted.some((constraint) => isWithin(name, constraint));
}
