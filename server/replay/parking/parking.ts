import { statfsSync } from 'node:fs';
import type { Client } from '@libsql/client';
import { z } from 'zod';
import { formatBytes } from '../../model/format.js';
import type { ModelOf } from '../../model/json.js';
import {
  type DiskUse,
  type ParkableState,
  type Parking,
  type ParkSkipReason,
  SkippedSchema,
} from '../../model/parking.js';

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

/** A parking as it begins. */
export function newParking(id: string, request: ParkRequest, startedAtMs: number): Parking {
  return {
    id,
    ...request,
    startedAtMs,
    endedAtMs: null,
    phase: 'park',
    state: 'running',
    because: null,
    ratePerSecond: null,
    guard: true,
    pausedBy: null,
    pacePerSecond: null,
    paceReason: null,
    looked: 0,
    parked: 0,
    freedBytes: 0,
    skipped: {},
    restored: 0,
    existed: 0,
    fellBack: 0,
    remaining: 0,
  };
}

/** What to take out of Redis. */
export type ParkRequest = Pick<
  Parking,
  'instance' | 'queue' | 'states' | 'jobTypes' | 'most' | 'reason' | 'actor' | 'origin'
>;

/** How a restore goes: null is as fast as it goes, or as the guard lets it. */
export type RestoreTerms = Pick<Parking, 'ratePerSecond' | 'guard'>;

/** What is changed of a parking that is under way or rests. */
export interface ParkingPatch extends Partial<RestoreTerms> {
  readonly state?: Exclude<Parking['state'], 'done'>;
  /** Who pauses it; left out: a person. */
  readonly by?: Parking['pausedBy'];
}

/** What a parking holds of one type, or would take. */
export const ParkedTypeSchema = z.object({ type: z.string(), jobs: z.number(), bytes: z.number() });
export type ParkedType = ModelOf<typeof ParkedTypeSchema>;

/** What a parking would do, from looking at a bounded number of jobs. */
export const ParkEstimateSchema = z.object({
  total: z.number().describe('Jobs in the lists of these states'),
  looked: z.number(),
  isExact: z.boolean().describe('false: there are more, and the rest is taken to be like those looked at'),
  jobs: z.number(),
  freedBytes: z.number(),
  types: z.array(ParkedTypeSchema),
  skipped: SkippedSchema.describe('What would stay in Redis, by reason'),
});
export type ParkEstimate = ModelOf<typeof ParkEstimateSchema>;

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
