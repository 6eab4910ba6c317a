/** Stops processes and lets them go on in turns, as a host does that has hardly any CPU for them. */
export interface Starving {
  /** Lets them go on for good. */
  end(): void;
}

/** @param runMs of each `everyMs` in which they may run. */
export function starve(
  pids: readonly number[],
  { everyMs, runMs }: { everyMs: number; runMs: number },
): Starving {
  let timer: NodeJS.Timeout | undefined;
  const signal = (name: NodeJS.Signals): void => {
    for (const pid of pids) process.kill(pid, name);
  };
  const stop = (): void => {
    signal('SIGSTOP');
    timer = setTimeout(() => {
      signal('SIGCONT');
      timer = setTimeout(stop, runMs);
    }, everyMs - runMs);
  };
  stop();
  return {
    end() {
      clearTimeout(timer);
      signal('SIGCONT');
    },
  };
}
