import { connect, type Socket } from "node:net";

const DATA = 0;
const HEADERS = 1;
const SETTINGS = 4;
const PING = 6;
const ACK = 1;
const END_STREAM = 1;
const END_HEADERS = 4;
const FRAME_HEADER = 9;

/** One call of FetchX509SVID on a connection of its own, by hand: 20 processes of clients are not to be what is measured. */
export interface RawStream {
  close(): void;
}

const OPENING: Buffer = Buffer.concat([
  Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  frame(SETTINGS, 0, 0, Buffer.alloc(0)),
  frame(
    HEADERS,
    END_HEADERS,
    1,
    Buffer.concat([
      header(":method", "POST"),
      header(":scheme", "http"),
      header(":path", "/SpiffeWorkloadAPI/FetchX509SVID"),
      header(":authority", "localhost"),
      header("te", "trailers"),
      header("content-type", "application/grpc"),
      header("workload.spiffe.io", "true"),
    ]),
  ),
  // An empty message, and the end of the requests.
  frame(DATA, END_STREAM, 1, Buffer.alloc(5)),
]);

/** @param onMessage  Called with each message's count; a message here is smaller than one frame. */
export function openRawStream(
  path: string,
  onMessage: (count: number) => void,
  onEnd: (error?: Error) => void,
): RawStream {
  const socket = connect(path);
  let rest: Buffer = Buffer.alloc(0);
  let messages = 0;
  socket.on("error", onEnd);
  socket.on("close", () => {
    onEnd();
  });
  socket.on("data", (bytes: Buffer) => {
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    while (rest.length >= FRAME_HEADER) {
      const end = FRAME_HEADER + rest.readUIntBE(0, 3);
      if (rest.length < end) return;
      const type = rest[3];
      if (type === DATA && end > FRAME_HEADER) onMessage(++messages);
      else answer(socket, rest.subarray(0, end));
      rest = rest.subarray(end);
    }
  });
  socket.write(OPENING);
  return {
    close: () => {
      socket.destroy();
    },
  };
}

function answer(socket: Socket, bytes: Buffer): void {
  const isAcknowledged = ((bytes[4] ?? 0) & ACK) !== 0;
  if (isAcknowledged) return;
  if (bytes[3] === SETTINGS) socket.write(frame(SETTINGS, ACK, 0, Buffer.alloc(0)));
  if (bytes[3] === PING) socket.write(frame(PING, ACK, 0, bytes.subarray(FRAME_HEADER)));
}

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(FRAME_HEADER);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A literal field without indexing, neither part compressed; both are shorter than 127 bytes. */
function header(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.from([0]), text(name), text(value)]);
}

function text(part: string): Buffer {
  return Buffer.from([part.length, ...Buffer.from(part, "latin1")]);
}
