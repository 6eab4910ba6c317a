import { z } from 'zod';
import { type ModelOf, TimeSchema } from './json.js';

/** Why a job is left in Redis: parked, it would not come back as it was. */
export const SKIP_WORDS = {
  active: 'being processed',
  flow: 'parents or children of a flow',
  deduplicated: 'deduplicated: another add counts on them',
  scheduled: 'made by a job scheduler, which counts on the next one',
  'has-logs': 'have logs, which would be lost',
  'no-data': 'are ids without a job',
  'too-many-fields': 'have fields that BullMQ does not make',
  'moved-on': 'were taken or changed in the meantime',
} as const;

export type ParkSkipReason = keyof typeof SKIP_WORDS;

export const SkippedSchema = z.record(z.string(), z.number());

export type Skipped = Readonly<Partial<Record<ParkSkipReason, number>>>;

export const DiskUseSchema = z.object({
  usedBytes: z.number(),
  maxBytes: z.number(),
  freeBytes: z.number().describe('Of the disk that the directory is on'),
  diskBytes: z.number(),
});

export type DiskUse = ModelOf<typeof DiskUseSchema>;

/** States of jobs that can be parked: those that wait for something else than a worker's result. */
export const PARKABLE_STATES = ['waiting', 'prioritized', 'delayed'] as const;

export type ParkableState = (typeof PARKABLE_STATES)[number];

/** A parking parks, and later brings back; each of the two runs, rests, is aborted or done. */
export const ParkingSchema = z.object({
  id: z.string(),
  instance: z.string(),
  queue: z.string().describe('Queue id'),
  states: z.array(z.enum(PARKABLE_STATES)),
  jobTypes: z.array(z.string()).nullable().describe('null: all'),
  most: z.number().nullable().describe('Jobs; null: all that there are when it begins'),
  reason: z.string(),
  actor: z.string(),
  origin: z.enum(['person', 'policy', 'import']),
  startedAt: TimeSchema,
  endedAt: TimeSchema.nullable(),
  phase: z.enum(['park', 'restore']),
  state: z.enum(['running', 'paused', 'aborted', 'done']),
  because: z.string().nullable().describe('Why it rests, waits, goes slowly or ended early'),
  ratePerSecond: z.number().nullable().describe('Of the restore, at most; null: as fast as it goes'),
  guard: z.boolean().describe('The restore slows down and rests by itself when live jobs suffer'),
  pausedBy: z
    .enum(['person', 'policy', 'guard'])
    .nullable()
    .describe('null: it is not paused, or it rests as the disk is full'),
  pacePerSecond: z
    .number()
    .nullable()
    .describe('What comes back at most now; 0 while it rests; null: it does not, or unbounded'),
  paceReason: z.string().nullable(),
  looked: z.number(),
  parked: z.number().describe('= restored + existed + fellBack + remaining, at any time'),
  freedBytes: z.number().describe('By MEMORY USAGE of what was taken out'),
  skipped: SkippedSchema.describe('Left in Redis by the last pass, by reason'),
  restored: z.number(),
  existed: z.number().describe('Not brought back: the id was in Redis again'),
  fellBack: z.number().describe('Not brought back: Redis had lost that they were taken out'),
  remaining: z.number().describe('On disk and nowhere else'),
});

export type Parking = ModelOf<typeof ParkingSchema>;

/** What Redis will hold more once all that is left of a parking is back: by what taking it out has freed. */
export function bytesOnDisk({ parked, freedBytes, remaining }: Parking): number {
  return parked === 0 ? 0 : (freedBytes * remaining) / parked;
}
