import { BonafideError } from "@bonafide/errors";
import { UNIX_PEER_ERRORS } from "../errors.ts";
import type { Libc } from "./libc.ts";

/**
 * Binds the C library through koffi, which is loaded only now: an SDK or a CLI that never asks for a peer never pays.
 *
 * @throws KERNEL_UNSUPPORTED  not Linux, or koffi has no build for this machine
 */
export async function koffiLibc(): Promise<Libc> {
  try {
    const koffi = await import("koffi");
    const libc = koffi.load("libc.so.6");
    const bind = (signature: string) => {
      const call = libc.func(signature);
      return (...values: unknown[]): number => Number(call(...values));
    };
    return {
      getsockopt: bind("int getsockopt(int, int, int, void *, void *)"),
      syscall: bind("long syscall(long, long, long)"),
      ioctl: bind("int ioctl(int, unsigned long, void *)"),
      poll: bind("int poll(void *, unsigned long, int)"),
      prctl: bind("int prctl(int, unsigned long)"),
      socket: bind("int socket(int, int, int)"),
      send: bind("long send(int, void *, unsigned long, int)"),
      recv: bind("long recv(int, void *, unsigned long, int)"),
      errno: () => koffi.errno(),
    };
  } catch (cause) {
    throw new BonafideError(
      UNIX_PEER_ERRORS,
      "KERNEL_UNSUPPORTED",
      `callers can only be identified on Linux with glibc, not on ${process.platform}`,
      { cause },
    );
  }
}
