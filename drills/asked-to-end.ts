const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const LOOK_EVERY_MS = 1_000;

/**
 * Resolves at Ctrl-C, at any other signal that asks for an end, and when the process that started this one is gone:
 * npm's shell dies of a signal without passing it on.
 */
export function whenAskedToEnd(): { readonly promise: Promise<void>; forget(): void } {
  const parent = process.ppid;
  let ask = (): void => undefined;
  const promise = new Promise<void>((resolve) => {
    ask = resolve;
  });
  const timer = setInterval(() => {
    if (process.ppid !== parent) ask();
  }, LOOK_EVERY_MS);
  for (const signal of SIGNALS) process.on(signal, ask);
  process.on('disconnect', ask);
  return {
    promise,
    forget() {
      clearInterval(timer);
      // The signals stay caught: a second Ctrl-C must not cut the tidying up short.
      process.off('disconnect', ask);
    },
  };
}
