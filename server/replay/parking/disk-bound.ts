import { statfsSync } from 'node:fs';
import type { Client } from '@libsql/client';
import { formatBytes } from '../../model/format.js';

export interface DiskUse {
  readonly usedBytes: number;
  readonly maxBytes: number;
  /** Of the disk that the directory is on. */
  readonly freeBytes: number;
  readonly diskBytes: number;
}

export interface DiskBound {
  read(): Promise<DiskUse>;
  /** Why so many bytes more must not be written; null: they may. */
  refusal(addedBytes: number): Promise<string | null>;
  /** Gives pages that hold nothing any more back to the disk, a bounded number. */
  shrink(): Promise<void>;
  /** Empties the write-ahead log, where deleted job data would stand on. @returns false: somebody reads; try again. */
  forget(): Promise<boolean>;
}

/** Of the disk, kept free for everybody else. */
const KEEP_FREE_RATIO = 0.1;
const SHRINK_PAGES = 10_000;

/** Parking stops at the configured size and while a tenth of the disk is still free, before anything is deleted. */
export function diskBound(client: Client, directory: string, maxBytes: number): DiskBound {
  const read = async (): Promise<DiskUse> => {
    const pragma = async (name: string): Promise<number> =>
      Number((await client.execute(`PRAGMA ${name}`)).rows[0]?.[0] ?? 0);
    const pages = (await pragma('page_count')) - (await pragma('freelist_count'));
    const disk = statfsSync(directory);
    return {
      usedBytes: pages * (await pragma('page_size')),
      maxBytes,
      freeBytes: disk.bavail * disk.bsize,
      diskBytes: disk.blocks * disk.bsize,
    };
  };
  return {
    read,
    async refusal(addedBytes) {
      const use = await read();
      if (use.usedBytes + addedBytes > maxBytes)
        return `parked jobs take ${formatBytes(use.usedBytes)} of the ${formatBytes(maxBytes)} that they may (parking.maxBytes)`;
      // Twice: a commit goes to the write-ahead log, and from there to the file.
      if (use.freeBytes - 2 * addedBytes < use.diskBytes * KEEP_FREE_RATIO)
        return `the disk of the data directory has ${formatBytes(use.freeBytes)} of ${formatBytes(use.diskBytes)} free, and a tenth is kept`;
      return null;
    },
    async shrink() {
      // Not `execute`: that leaves the PRAGMA half done and its transaction open, into which the next write would fall.
      await client.executeMultiple(`PRAGMA incremental_vacuum(${SHRINK_PAGES})`);
    },
    async forget() {
      return Number((await client.execute('PRAGMA wal_checkpoint(TRUNCATE)')).rows[0]?.[0] ?? 1) === 0;
    },
  };
}
