import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** A process, such that another one can tell whether it still runs. */
interface ProcessMark {
  readonly host: string;
  /** The machine's, and of this boot of it. */
  readonly bootId: string;
  /** Numbers of processes mean something only within it: each container has its own. */
  readonly pidNamespace: string;
  readonly pid: number;
  /** In ticks since the boot, so a pid that is used again is known. */
  readonly startedAtTicks: number;
}

/**
 * A name for this life of this process, by which others on the same machine can tell whether it is over. Where the system
 * has no /proc, it is a name and no more: then nobody takes it for gone.
 */
export function newHolderId(): string {
  const mark = ownMark();
  const known = mark ? [mark.host, mark.bootId, mark.pidNamespace, mark.pid, mark.startedAtTicks] : [];
  return [randomUUID(), ...known].join(' ');
}

/**
 * Is it beyond doubt that the process of this name has ended? Only of one that had the same boot of the same machine and
 * the same pid namespace as this: two containers, or two machines that share a file, can't tell, and wait instead.
 */
export function isHolderGone(holder: string): boolean {
  const mark = markIn(holder);
  const own = ownMark();
  if (!mark || !own || mark.bootId !== own.bootId || mark.pidNamespace !== own.pidNamespace) return false;
  try {
    // Asks only. /proc may hide the processes of others (hidepid), this does not.
    process.kill(mark.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
  const now = statOf(mark.pid);
  return now !== null && (now.isDead || now.startedAtTicks !== mark.startedAtTicks);
}

/** For a person: which console it is. */
export function holderInWords(holder: string): string {
  const mark = markIn(holder);
  return mark ? `process ${mark.pid} on ${mark.host}` : 'its place is not known';
}

function markIn(holder: string): ProcessMark | null {
  const [, host, bootId, pidNamespace, pid, ticks] = holder.split(' ');
  const [pidNumber, startedAtTicks] = [Number(pid), Number(ticks)];
  if (!host || !bootId || !pidNamespace || !(pidNumber > 0) || !(startedAtTicks >= 0)) return null;
  return { host, bootId, pidNamespace, pid: pidNumber, startedAtTicks };
}

function ownMark(): ProcessMark | null {
  const stat = statOf(process.pid);
  if (!stat) return null;
  try {
    return {
      host: hostname().replaceAll(/\s/g, '-') || 'unnamed',
      bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
      pidNamespace: readlinkSync('/proc/self/ns/pid'),
      pid: process.pid,
      startedAtTicks: stat.startedAtTicks,
    };
  } catch {
    return null;
  }
}

/** Of proc(5): the 3rd field is the state, the 22nd the time of the start; the 2nd may hold any character, in brackets. */
function statOf(pid: number): { readonly isDead: boolean; readonly startedAtTicks: number } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const startedAtTicks = Number(fields[19]);
    if (!Number.isFinite(startedAtTicks)) return null;
    // A zombie runs nothing any more: its parent has not asked for it yet.
    return { isDead: fields[0] === 'Z' || fields[0] === 'X', startedAtTicks };
  } catch {
    return null;
  }
}
