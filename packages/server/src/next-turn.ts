/** Ends a slice of work on the main loop: resolves after the I/O that waits was served. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
