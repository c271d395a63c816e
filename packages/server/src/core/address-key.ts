/** Groups of an IPv6 address that name its network: what one caller is usually given whole. */
const NETWORK_GROUPS = 4;
/** Groups that name its site: what one caller may be given whole, as a company or by a generous provider. */
const SITE_GROUPS = 3;
const GROUPS = 8;

/**
 * Whom an IP address stands for when callers are counted: an IPv4 address itself, also when it is written as an IPv6
 * one, and of an IPv6 address its /64, since whoever has one of it has them all.
 *
 * @param address  As the system writes it, with or without a zone.
 * @returns Another text is given back as it is: it then counts by itself.
 */
export function addressKey(address: string): string {
  return keyOf(address, NETWORK_GROUPS);
}

/** As {@link addressKey}, and of an IPv6 address its /48. */
export function siteKey(address: string): string {
  return keyOf(address, SITE_GROUPS);
}

function keyOf(address: string, named: number): string {
  const [text = ""] = address.split("%");
  if (!text.includes(":")) return text;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(text)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = "", tail] = text.split("::");
  const before = groupsOf(head);
  const after = tail === undefined ? [] : groupsOf(tail);
  const zeros = tail === undefined ? 0 : Math.max(0, GROUPS - before.length - after.length);
  const groups = [...before, ...Array.from({ length: zeros }, () => "0"), ...after];
  if (groups.length < named) return text;
  return `${groups.slice(0, named).map(plainGroup).join(":")}::/${named * 16}`;
}

function groupsOf(text: string): readonly string[] {
  if (text === "") return [];
  // The last two groups of some are written as an IPv4 address; which one does not matter here.
  return text.split(":").flatMap((group) => (group.includes(".") ? ["0", "0"] : [group]));
}

function plainGroup(group: string): string {
  return group.replace(/^0+(?=.)/, "").toLowerCase();
}
