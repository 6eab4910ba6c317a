import { chmodSync, mkdirSync, readdirSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';

const OWN_FILES = /^((spillway|parked|history)\.db(-wal|-shm|-journal)?|session\.key)$/;
/** What may lie beside them without saying that the directory is also for something else. */
const ALSO = /^(spillway\.ya?ml|lost\+found)$/;
const OTHERS = 0o077;

/**
 * Makes the data directory where needed, and keeps it from other users whoever made it: 0600 for the console's files
 * (SQLite gives its write-ahead log and index the mode of their database), 0700 for the directory, unless it is used for
 * other things too. What is made later is kept from them by the umask of the process.
 * @returns what others can still see or do there, for a person; null: nothing.
 * @throws why it can't be made or read.
 */
export function keepPrivate(directory: string): string | null {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  // Rights of another kind; Node shows none of them.
  if (process.platform === 'win32') return null;
  const names = readdirSync(directory);
  const open = names.filter((name) => OWN_FILES.test(name) && !tightened(join(directory, name), 0o600));
  const isShared = names.some((name) => !OWN_FILES.test(name) && !ALSO.test(name));
  const problems = [
    open.length > 0 ? `${open.join(', ')} can be read by other users, as they belong to another one` : null,
    isShared ? openToOthers(statSync(directory), 'holds other things too') : null,
    isShared || tightened(directory, 0o700)
      ? null
      : openToOthers(statSync(directory), 'belongs to another user'),
  ].filter((problem) => problem !== null);
  return problems.length === 0 ? null : `data directory ${directory}: ${problems.join('; ')}`;
}

function tightened(path: string, mode: number): boolean {
  if ((statSync(path).mode & OTHERS) === 0) return true;
  try {
    chmodSync(path, mode);
    return true;
  } catch {
    // Another user's: what that comes to is told.
    return false;
  }
}

function openToOthers({ mode }: Stats, why: string): string | null {
  if ((mode & OTHERS) === 0) return null;
  const bits = (mode & 0o7777).toString(8);
  // With the sticky bit only the owner of a file replaces it.
  const danger = (mode & 0o022) !== 0 && (mode & 0o1000) === 0 ? 'replace the files in it' : 'list it';
  return `it ${why} and is left at ${bits}, so others can ${danger}; give the console one of its own (--data, mode 700)`;
}
