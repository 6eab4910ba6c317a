import { readFile } from 'node:fs/promises';

/** Processor time of a process so far, ms. */
export async function cpuMsOf(pid: number): Promise<number> {
  // Fields 14 and 15 of /proc/<pid>/stat, in ticks of 10 ms; the second field may hold spaces.
  const text = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
