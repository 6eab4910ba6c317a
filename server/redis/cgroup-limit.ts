import { readFile } from 'node:fs/promises';

/**
 * Memory limit in bytes of the cgroup that a Redis process on this machine lives in, or null where there is none,
 * it can't be seen, or `pid` is not a Redis of this machine (INFO's process_id counts in its own namespace).
 */
export async function cgroupLimitBytes(pid: number): Promise<number | null> {
  try {
    const name = (await readFile(`/proc/${pid}/comm`, 'utf8')).trim();
    if (!/^(redis|valkey)/.test(name)) return null;
    const line = (await readFile(`/proc/${pid}/cgroup`, 'utf8'))
      .split('\n')
      .find((entry) => entry.startsWith('0::'));
    const path = line?.slice(3).trim() ?? '';
    const text = (await readFile(`/sys/fs/cgroup${path === '/' ? '' : path}/memory.max`, 'utf8')).trim();
    const bytes = Number(text);
    return Number.isFinite(bytes) && bytes > 0 ? bytes : null;
  } catch {
    // Not this machine's, not Linux, or cgroup v1: then the host's memory as Redis reports it counts.
    return null;
  }
}
