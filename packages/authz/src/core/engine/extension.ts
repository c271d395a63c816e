import { FAULTS } from "./fault.ts";
import { IpRange, isInRange, isLoopback, isMulticast, parseIp } from "./ip.ts";
import { addLongs, subtractLongs } from "./long.ts";
import {
  dateOf,
  Datetime,
  Decimal,
  Duration,
  parseDatetime,
  parseDecimal,
  parseDuration,
  timeOf,
  wholeUnits,
} from "./scalars.ts";
import type { Value } from "./values.ts";

type Call = (first: Value, second: Value) => Value;

interface ExtensionFunction {
  readonly arity: 1 | 2;
  readonly call: Call;
}

const unary = (call: (arg: Value) => Value): ExtensionFunction => ({ arity: 1, call });
const binary = (call: Call): ExtensionFunction => ({ arity: 2, call });

const FUNCTIONS: ReadonlyMap<string, ExtensionFunction> = new Map(
  Object.entries({
    ip: unary((text) => parsed(parseIp, text)),
    isIpv4: unary((ip) => asIp(ip).version === 4),
    isIpv6: unary((ip) => asIp(ip).version === 6),
    isLoopback: unary((ip) => isLoopback(asIp(ip))),
    isMulticast: unary((ip) => isMulticast(asIp(ip))),
    isInRange: binary((inner, outer) => isInRange(asIp(inner), asIp(outer))),

    decimal: unary((text) => parsed(parseDecimal, text)),
    lessThan: binary((a, b) => asDecimal(a) < asDecimal(b)),
    lessThanOrEqual: binary((a, b) => asDecimal(a) <= asDecimal(b)),
    greaterThan: binary((a, b) => asDecimal(a) > asDecimal(b)),
    greaterThanOrEqual: binary((a, b) => asDecimal(a) >= asDecimal(b)),

    datetime: unary((text) => parsed(parseDatetime, text)),
    duration: unary((text) => parsed(parseDuration, text)),
    offset: binary((at, by) => new Datetime(addLongs(asDatetime(at).epochMs, asDuration(by).ms))),
    durationSince: binary(
      (a, b) => new Duration(subtractLongs(asDatetime(a).epochMs, asDatetime(b).epochMs)),
    ),
    toDate: unary((at) => dateOf(asDatetime(at))),
    toTime: unary((at) => timeOf(asDatetime(at))),
    toMilliseconds: unary((by) => asDuration(by).ms),
    toSeconds: unary((by) => wholeUnits(asDuration(by), 1000)),
    toMinutes: unary((by) => wholeUnits(asDuration(by), 60_000)),
    toHours: unary((by) => wholeUnits(asDuration(by), 3_600_000)),
    toDays: unary((by) => wholeUnits(asDuration(by), 86_400_000)),
  }),
);

/** The function of Cedar's extensions with this name and number of arguments; throws a {@link FAULTS} when called. */
export function extensionOf(name: string, arity: number): Call | undefined {
  const found = FUNCTIONS.get(name);
  return found?.arity === arity ? found.call : undefined;
}

/** Calls an extension function; `undefined` if there is none of this name and number of arguments. */
export function callExtension(name: string, args: readonly Value[]): Value | undefined {
  const [first = false, second = false] = args;
  return extensionOf(name, args.length)?.(first, second);
}

function parsed<T>(parse: (text: string) => T | undefined, text: Value): T {
  if (typeof text !== "string") throw FAULTS.type;
  const value = parse(text);
  if (value === undefined) throw FAULTS.extension;
  return value;
}

function asIp(value: Value): IpRange {
  if (value instanceof IpRange) return value;
  throw FAULTS.type;
}

function asDecimal(value: Value): number | bigint {
  if (value instanceof Decimal) return value.tenThousandths;
  throw FAULTS.type;
}

function asDatetime(value: Value): Datetime {
  if (value instanceof Datetime) return value;
  throw FAULTS.type;
}

function asDuration(value: Value): Duration {
  if (value instanceof Duration) return value;
  throw FAULTS.type;
}
