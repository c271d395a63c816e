import { IP_TEXT_MAX } from "../../limits.ts";

/** Cedar's `ipaddr`: an address with the length of its prefix. The bits behind the prefix are kept and compared. */
export class IpRange {
  readonly kind = "ip";
  readonly version: 4 | 6;
  readonly address: bigint;
  readonly prefix: number;
  readonly key: string;

  constructor(version: 4 | 6, address: bigint, prefix: number) {
    this.version = version;
    this.address = address;
    this.prefix = prefix;
    this.key = `i${version}/${address}/${prefix}`;
  }
}

const PREFIX = /^(?:0|[1-9][0-9]{0,2})$/;
const OCTET = /^(?:0|[1-9][0-9]{0,2})$/;
const GROUP = /^[0-9a-fA-F]{1,4}$/;

/** Reads an address or a range of either family; IPv6 with dots is none. */
export function parseIp(text: string): IpRange | undefined {
  if (text.length > IP_TEXT_MAX) return undefined;
  const slash = text.indexOf("/");
  const addressText = slash === -1 ? text : text.slice(0, slash);
  const version = addressText.includes(":") ? 6 : 4;
  const address = version === 6 ? parseIpv6(addressText) : parseIpv4(addressText);
  if (address === undefined) return undefined;
  const bits = bitsOf(version);
  if (slash === -1) return new IpRange(version, address, bits);
  const prefix = text.slice(slash + 1);
  if (!PREFIX.test(prefix) || Number(prefix) > bits) return undefined;
  return new IpRange(version, address, Number(prefix));
}

/** Whether all of `inner` lies in `outer`; never across families. */
export function isInRange(inner: IpRange, outer: IpRange): boolean {
  if (inner.version !== outer.version || inner.prefix < outer.prefix) return false;
  const hostBits = BigInt(bitsOf(outer.version) - outer.prefix);
  return inner.address >> hostBits === outer.address >> hostBits;
}

const LOOPBACK = { 4: new IpRange(4, 0x7f000000n, 8), 6: new IpRange(6, 1n, 128) };
const MULTICAST = { 4: new IpRange(4, 0xe0000000n, 4), 6: new IpRange(6, 0xffn << 120n, 8) };

/** Whether all of a range loops back. */
export function isLoopback(range: IpRange): boolean {
  return isInRange(range, LOOPBACK[range.version]);
}

/** Whether all of a range is multicast. */
export function isMulticast(range: IpRange): boolean {
  return isInRange(range, MULTICAST[range.version]);
}

function bitsOf(version: 4 | 6): number {
  return version === 4 ? 32 : 128;
}

function parseIpv4(text: string): bigint | undefined {
  const octets = text.split(".");
  if (octets.length !== 4) return undefined;
  let address = 0n;
  for (const octet of octets) {
    if (!OCTET.test(octet) || Number(octet) > 255) return undefined;
    address = (address << 8n) | BigInt(octet);
  }
  return address;
}

function parseIpv6(text: string): bigint | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head = [], tail] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const missing = 8 - head.length - (tail?.length ?? 0);
  // `::` stands for at least one group.
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  let address = 0n;
  const zeros = Array.from({ length: missing }, () => "0");
  for (const group of [...head, ...zeros, ...(tail ?? [])]) {
    if (!GROUP.test(group)) return undefined;
    address = (address << 16n) | BigInt(`0x${group}`);
  }
  return address;
}
