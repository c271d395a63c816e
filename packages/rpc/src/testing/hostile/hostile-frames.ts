import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { hostileMessage } from "./hostile-message.ts";
import { mutated, type Next, oneOf, someBytes } from "./random-numbers.ts";

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const DATA = 0;
const HEADERS = 1;
const SETTINGS = 4;
const END_STREAM = 1;
const END_HEADERS = 4;

/** What one hostile connection sends. */
export interface HostileInput {
  readonly kind: string;
  readonly bytes: Buffer;
  /** Whether the sender ends its side; otherwise it stays, silent. */
  readonly ends: boolean;
}

/** The bytes of one connection that nobody of good will would send. */
export function hostileInput(next: Next, services: readonly DescService[]): HostileInput {
  const whole = conversation(next, services);
  switch (next(7)) {
    case 0:
      return { kind: "random bytes", bytes: someBytes(next, 1 + next(300)), ends: true };
    case 1:
      return { kind: "mutated conversation", bytes: mutated(next, whole), ends: true };
    case 2: {
      const [type, stream] = [next(12), next(2) === 0 ? 0 : 1];
      const start = frame({ type, flags: next(256), stream, payload: someBytes(next, next(40)) });
      start.writeUIntBE(0xff_ff_ff - next(1 << 23), 0, 3);
      return { kind: "huge frame", bytes: Buffer.concat([opening(), start]), ends: true };
    }
    case 3:
      return { kind: "huge message", bytes: hugeMessage(next, services), ends: true };
    case 4: {
      const frames = Array.from({ length: 1 + next(20) }, () =>
        frame({
          type: next(14),
          flags: next(256),
          stream: oneOf(next, [0, 1, 1, 2, 3, 0x7f_ff_ff_ff]),
          payload: someBytes(next, next(32)),
        }),
      );
      return { kind: "random frames", bytes: Buffer.concat([opening(), ...frames]), ends: true };
    }
    case 5:
      return { kind: "mutated, then silent", bytes: mutated(next, whole), ends: false };
    default:
      return {
        kind: "half, then silent",
        bytes: whole.subarray(0, next(whole.length)),
        ends: false,
      };
  }
}

/** A message frame of gRPC: mostly its true length, sometimes another one, or compressed by nothing known. */
export function hostileGrpcFrame(next: Next, method: DescMethod): Buffer {
  const message = hostileMessage(next, method.input);
  const head = Buffer.alloc(5);
  const kind = next(12);
  head.writeUInt8(kind === 0 ? 1 + next(255) : 0, 0);
  head.writeUInt32BE(
    kind === 1 ? oneOf(next, [0, 1, 5_000_000, 0xff_ff_ff_ff]) : message.length,
    1,
  );
  const whole = Buffer.concat([head, message]);
  if (kind === 2) return whole.subarray(0, next(whole.length));
  return kind === 3 ? Buffer.concat([whole, whole]) : whole;
}

/** One of all methods of these services. */
export function methodOf(next: Next, services: readonly DescService[]): DescMethod {
  const methods = services.flatMap((service) => service.methods);
  const method = methods[next(methods.length)];
  if (method === undefined) throw new Error("services without methods");
  return method;
}

/** The path of a method's calls. */
export function pathOf(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}

function opening(): Buffer {
  return Buffer.concat([PREFACE, frame({ type: SETTINGS })]);
}

function conversation(next: Next, services: readonly DescService[]): Buffer {
  const method = methodOf(next, services);
  const payload = hostileGrpcFrame(next, method);
  const headers = frame({
    type: HEADERS,
    flags: END_HEADERS,
    stream: 1,
    payload: headerBlock(pathOf(method)),
  });
  const data = frame({ type: DATA, flags: END_STREAM, stream: 1, payload });
  return Buffer.concat([opening(), headers, data]);
}

function hugeMessage(next: Next, services: readonly DescService[]): Buffer {
  const method = methodOf(next, services);
  const payload = Buffer.concat([Buffer.alloc(5), someBytes(next, next(100))]);
  payload.writeUInt32BE(0xff_ff_ff_ff - next(2 ** 31), 1);
  const stream = 1;
  return Buffer.concat([
    opening(),
    frame({ type: HEADERS, flags: END_HEADERS, stream, payload: headerBlock(pathOf(method)) }),
    frame({ type: DATA, stream, payload }),
  ]);
}

/** A header block of literals without an index. @spec RFC 7541 §6.2.2 */
function headerBlock(path: string): Buffer {
  const pairs = [
    [":method", "POST"],
    [":scheme", "http"],
    [":path", path],
    [":authority", "localhost"],
    ["content-type", "application/grpc"],
    ["te", "trailers"],
    ["workload.spiffe.io", "true"],
  ];
  return Buffer.concat(
    pairs.map(([name = "", value = ""]) =>
      Buffer.concat([
        Buffer.from([0, name.length]),
        Buffer.from(name),
        Buffer.from([value.length]),
        Buffer.from(value),
      ]),
    ),
  );
}

interface Frame {
  readonly type: number;
  readonly flags?: number;
  readonly stream?: number;
  readonly payload?: Buffer;
}

function frame({ type, flags = 0, stream = 0, payload = Buffer.alloc(0) }: Frame): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}
