import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

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

const CGROUPS = '/sys/fs/cgroup';

/**
 * Leaves processes so much of a core, by a control group of their own (version 1 or 2 of Linux').
 * @throws where this user may not make one.
 */
export function throttle(pids: readonly number[], cores: number): Starving {
  const isUnified = existsSync(join(CGROUPS, 'cgroup.controllers'));
  const parent = isUnified ? CGROUPS : join(CGROUPS, 'cpu');
  const group = join(parent, `spillway-test-${process.pid}`);
  mkdirSync(group);
  const [quota, period] = [Math.round(cores * 100_000), 100_000];
  if (isUnified) writeFileSync(join(group, 'cpu.max'), `${quota} ${period}`);
  else {
    writeFileSync(join(group, 'cpu.cfs_period_us'), String(period));
    writeFileSync(join(group, 'cpu.cfs_quota_us'), String(quota));
  }
  for (const pid of pids) writeFileSync(join(group, 'cgroup.procs'), String(pid));
  return {
    end() {
      for (const pid of pids) writeFileSync(join(parent, 'cgroup.procs'), String(pid));
      rmdirSync(group);
    },
  };
}
