/** The C functions in use, already bound. Buffers stand for pointers. */
export interface Libc {
  getsockopt(fd: number, level: number, name: number, value: Buffer, length: Buffer): number;
  syscall(number: number, a: number, b: number): number;
  ioctl(fd: number, request: number, argument: Buffer): number;
  poll(fds: Buffer, count: number, timeoutMs: number): number;
  prctl(option: number, argument: number): number;
  socket(domain: number, type: number, protocol: number): number;
  send(fd: number, bytes: Buffer, length: number, flags: number): number;
  recv(fd: number, bytes: Buffer, length: number, flags: number): number;
  /** Error number of the last call. */
  errno(): number;
}
