/** Gives a whole number from 0 to below its argument. */
export type Next = (below: number) => number;

/** A small generator of numbers, so that a run can be repeated by its seed. */
export function numbers(seed: number): Next {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** One of these. */
export function oneOf<T>(next: Next, from: readonly [T, ...T[]]): T {
  return from[next(from.length)] ?? from[0];
}

/** So many bytes, any. */
export function someBytes(next: Next, size: number): Buffer {
  return Buffer.from(Array.from({ length: size }, () => next(256)));
}

/** The same bytes with up to four defects: flipped, overwritten, cut off, doubled, put in. */
export function mutated(next: Next, source: Uint8Array): Buffer {
  let bytes = Buffer.from(source);
  for (let defects = 1 + next(4); defects > 0 && bytes.length > 0; defects--) {
    const at = next(bytes.length);
    const kind = next(6);
    if (kind === 0) bytes = bytes.subarray(0, at);
    else if (kind === 1) bytes = Buffer.concat([bytes.subarray(0, at), bytes]);
    else if (kind === 2) {
      bytes = Buffer.concat([
        bytes.subarray(0, at),
        someBytes(next, 1 + next(16)),
        bytes.subarray(at),
      ]);
    } else bytes.writeUInt8(kind === 3 ? bytes.readUInt8(at) ^ (1 << next(8)) : next(256), at);
  }
  return bytes;
}
