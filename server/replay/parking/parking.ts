import { statfsSync } from 'node:fs';
import type { Client } from '@libsql/client';
import { z } from 'zod';
import { formatBytes } from '../../model/format.js';

/** Why a job is left in Redis: parked, it would not come back as it was. */
export type ParkSkipReason =
  | 'active'
  | 'flow'
  | 'deduplicated'
  | 'scheduled'
  | 'has-logs'
  | 'no-data'
  | 'too-many-fields'
  | 'moved-on';

export const SKIP_WORDS: Readonly<Record<ParkSkipReason, string>> = {
  active: 'being processed',
  flow: 'parents or children of a flow',
  deduplicated: 'deduplicated: another add counts on them',
  scheduled: 'made by a job scheduler, which counts on the next one',
  'has-logs': 'have logs, which would be lost',
  'no-data': 'are ids without a job',
  'too-many-fields': 'have fields that BullMQ does not make',
  'moved-on': 'were taken or changed in the meantime',
};

/** What is known of a job in one of the lists that are parked from. */
interface ParkingFacts {
  readonly jobId: string;
  readonly fieldCount: number;
  readonly hasParent: boolean;
  readonly hasChildren: boolean;
  readonly isDeduplicated: boolean;
  readonly isOfScheduler: boolean;
  readonly hasLogs: boolean;
}

/** BullMQ makes about 20; Lua passes some thousand to one call. */
const MAX_FIELDS = 64;

/** null: it can be parked faithfully. Pure. */
export function skipReason(facts: ParkingFacts): ParkSkipReason | null {
  // BullMQ 5 leaves markers of this form in `wait`; they are no jobs.
  if (facts.fieldCount === 0 || facts.jobId.startsWith('0:')) return 'no-data';
  if (facts.hasParent || facts.hasChildren) return 'flow';
  if (facts.isOfScheduler || facts.jobId.startsWith('repeat:')) return 'scheduled';
  if (facts.isDeduplicated) return 'deduplicated';
  if (facts.hasLogs) return 'has-logs';
  return facts.fieldCount > MAX_FIELDS ? 'too-many-fields' : null;
}

export interface DiskUse {
  readonly usedBytes: number;
  readonly maxBytes: number;
  /** Of the disk that the directory is on. */
  readonly freeBytes: number;
  readonly diskBytes: number;
}

export interface DiskBound {
  read(): Promise<DiskUse>;
  /** How many bytes more may be written. */
  space(): Promise<number>;
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
    async space() {
      const { usedBytes, freeBytes, diskBytes } = await read();
      // Twice: a commit goes to the write-ahead log, and from there to the file.
      return Math.max(0, Math.min(maxBytes - usedBytes, (freeBytes - diskBytes * KEEP_FREE_RATIO) / 2));
    },
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

/** Jobs a second under the guard where nobody set a rate: it begins with what most queues bear, and goes below it. */
export const GUARDED_PER_SECOND = 1_000;
/** More than any Redis takes back. */
export const MAX_RESTORE_RATE = 100_000;

/** Jobs a second at which parked ones come back, at most; for API and action alike. */
export const RestoreRateSchema = z
  .number('must be jobs per second')
  .positive('must be above 0')
  .max(MAX_RESTORE_RATE, 'must be at most 100,000');

/** States of jobs that can be parked: those that wait for something else than a worker's result. */
export const PARKABLE_STATES = ['waiting', 'prioritized', 'delayed'] as const;
export type ParkableState = (typeof PARKABLE_STATES)[number];

/** What to take out of Redis. */
export interface ParkRequest {
  readonly instance: string;
  /** Queue id. */
  readonly queue: string;
  readonly states: readonly ParkableState[];
  /** null: all. */
  readonly jobTypes: readonly string[] | null;
  /** Jobs; null: all that there are when it begins. */
  readonly most: number | null;
  readonly reason: string;
  readonly actor: string;
  readonly origin: 'person' | 'policy' | 'import';
}

/** A parking parks, and later brings back; each of the two runs, rests, is aborted or done. */
export type ParkingPhase = 'park' | 'restore';
export type ParkingState = 'running' | 'paused' | 'aborted' | 'done';

/** A parking and its account: parked = restored + existed + fellBack + remaining, at any time. */
export interface Parking extends ParkRequest {
  readonly id: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
  readonly phase: ParkingPhase;
  readonly state: ParkingState;
  /** Why it rests, ended early or goes slowly; null: nothing to say. */
  readonly because: string | null;
  /** Of the restore, at most; null: as fast as it goes. */
  readonly ratePerSecond: number | null;
  /** Of the restore: it slows down and rests by itself when live jobs suffer. */
  readonly guard: boolean;
  /** Who has paused it; null: it is not paused, or it rests as the disk is full. */
  readonly pausedBy: PausedBy | null;
  /** Jobs a second that come back now at most, and why; null: none do, or nothing bounds it. */
  readonly pacePerSecond: number | null;
  readonly paceReason: string | null;
  readonly looked: number;
  readonly parked: number;
  /** By MEMORY USAGE of what was taken out. */
  readonly freedBytes: number;
  /** Of the last pass. */
  readonly skipped: Skipped;
  readonly restored: number;
  /** Not brought back, as a job with this id was in Redis again. */
  readonly existed: number;
  /** Not brought back, as Redis itself fell back to a time before they were taken out: they are there. */
  readonly fellBack: number;
  /** Jobs that are on disk and nowhere else. */
  readonly remaining: number;
}

export type PausedBy = 'person' | 'policy' | 'guard';

export type Skipped = Readonly<Partial<Record<ParkSkipReason, number>>>;

/** A job as it is on disk. */
export interface ParkedJob {
  readonly jobId: Buffer;
  /** For showing and filtering; the fields hold the bytes. */
  readonly name: string;
  readonly place: ParkableState;
  /** As Redis gave it; '' for waiting ones. */
  readonly score: string;
  /** MEMORY USAGE of its hash; 0 where not permitted. */
  readonly bytes: number;
  /** Field, value, … of its hash. */
  readonly fields: readonly Buffer[];
}

export interface StoredJob extends ParkedJob {
  readonly seq: number;
  /** The batch that took it out; '' for imported ones, which no batch did. */
  readonly batch: string;
}

/** How a restore goes. */
export interface RestoreTerms {
  /** At most; null: as fast as it goes, or as the guard lets it. */
  readonly ratePerSecond: number | null;
  readonly guard: boolean;
}

/** What is changed of a parking that is under way or rests. */
export interface ParkingPatch {
  readonly state?: 'running' | 'paused' | 'aborted';
  readonly ratePerSecond?: number | null;
  readonly guard?: boolean;
}
