/** Why a text is no DNS name that a certificate of ours may carry; undefined: it is one. */
export function dnsNameFault(name: string): string | undefined {
  if (name === "") return "empty";
  if (name.length > 253) return "longer than 253 characters";
  const labels = name.split(".");
  for (const [index, label] of labels.entries()) {
    if (label === "*" && index === 0 && labels.length > 1) continue;
    if (label.length === 0 || label.length > 63) return "a label is empty or too long";
    if (!/^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?$/.test(label)) {
      return "a label holds a character it may not";
    }
  }
  return undefined;
}

/** Whether one of the names is a wildcard that covers this one, itself aside. */
export function isCoveredByWildcard(name: string, names: readonly string[]): boolean {
  const dot = name.indexOf(".");
  if (name.startsWith("*.") || dot === -1) return false;
  const wildcard = `*${name.slice(dot)}`.toLowerCase();
  return names.some((other) => other.toLowerCase() === wildcard);
}
