import { z } from 'zod';
import { type ModelOf, TimeSchema } from './json.js';

export const JOB_STATES = [
  'waiting',
  'prioritized',
  'active',
  'delayed',
  'waiting-children',
  'completed',
  'failed',
] as const;
export type JobState = (typeof JOB_STATES)[number];

/** Bytes by estimate. */
export const bytesFields = {
  bytes: z.number().describe('By estimate; the truth lies within ± errorBytes in 95 of 100 cases'),
  errorBytes: z.number().describe('0: every job was counted'),
};
const BytesSchema = z.object(bytesFields);
export type Bytes = ModelOf<typeof BytesSchema>;

/** What a job's memory is made of, and what a queue holds besides jobs. */
const MEMORY_KINDS = [
  /** The `data` of jobs. */
  'payload',
  /** The `opts` of jobs. */
  'options',
  'stack-traces',
  'return-values',
  /** Lines that processors wrote with job.log(). */
  'logs',
  /** Other fields of jobs, and what Redis needs to keep a hash. */
  'job-overhead',
  /** The lists and sorted sets of job ids. */
  'structure',
  'events',
  /** Job schedulers. */
  'schedulers',
  'locks',
  /** meta, metrics, markers. */
  'settings',
] as const;
export type MemoryKind = (typeof MEMORY_KINDS)[number];

const StateMemorySchema = z.object({ state: z.enum(JOB_STATES), jobs: z.number(), ...bytesFields });
export type StateMemory = ModelOf<typeof StateMemorySchema>;

/** A type that the sample has not shown is not in here. */
const TypeMemorySchema = z.object({
  type: z.string(),
  ...bytesFields,
  unfinished: z.number().describe('Jobs of it that are not finished, by estimate'),
  unfinishedError: z.number(),
  backlogBytes: z.number().describe('Of `bytes`: jobs that are not finished'),
  completedBytes: z.number(),
  failedBytes: z.number(),
  bytesPerJob: z.number(),
});
export type TypeMemory = ModelOf<typeof TypeMemorySchema>;

const KindMemorySchema = z.object({ kind: z.enum(MEMORY_KINDS), ...bytesFields });
export type KindMemory = ModelOf<typeof KindMemorySchema>;

/** How the memory of a queue divides, in three ways. */
export const memoryParts = {
  states: z.array(StateMemorySchema),
  types: z.array(TypeMemorySchema).describe('Largest first; the rest in one'),
  kinds: z.array(KindMemorySchema),
};

/**
 * What one queue holds, by MEMORY USAGE of sampled jobs, or of all of them where `source` is `count`. Adds up: states and
 * what is beside jobs = types and what is beside jobs = kinds = totalBytes.
 */
export const QueueMemorySchema = z
  .object({
    readAt: TimeSchema,
    source: z.enum(['sample', 'count']).describe('By samples of its jobs, or by a look at every one'),
    sampledJobs: z.number(),
    totalBytes: z.number(),
    errorBytes: bytesFields.errorBytes,
    backlogBytes: z.number().describe('Jobs that are not finished, with their lists'),
    completedBytes: z.number(),
    failedBytes: z.number(),
    eventsBytes: z.number(),
    ...memoryParts,
    largest: z
      .object({ jobId: z.string(), type: z.string(), bytes: z.number(), state: z.enum(JOB_STATES) })
      .nullable()
      .describe('The largest job that was met'),
  })
  .meta({ id: 'QueueMemory' });
export type QueueMemory = ModelOf<typeof QueueMemorySchema>;

/** What BullMQ's Relay holds: inboxes of its nodes, retained messages. It belongs to no queue. */
export interface RelayMemory {
  readonly bytes: number;
  readonly keys: number;
  readonly namespaces: number;
}

/** Where the memory of one Redis process is, beside what its queues hold. */
export interface NodeMemory {
  readonly readAtMs: number;
  readonly usedBytes: number;
  /** Sum over the queues of this node. */
  readonly queues: Bytes;
  /** Queues that hold jobs and have not been sampled yet. */
  readonly queuesToSample: number;
  /** Keys that belong to no queue, as far as SCAN has met them; null: no pass has ended yet. */
  readonly foreign: (Bytes & { readonly keys: number; readonly largest: readonly ForeignKey[] }) | null;
  /** null: none of its keys has been met. */
  readonly relay: RelayMemory | null;
  /** Buffers of clients that are not replicas. */
  readonly clientBytes: number;
  readonly replicaBufferBytes: number;
  readonly replicationBacklogBytes: number;
  /** AOF buffers. */
  readonly aofBytes: number;
  /** Lua and functions. */
  readonly scriptBytes: number;
  /** Redis' own tables over the keyspace. */
  readonly keyspaceBytes: number;
  /** What an empty Redis takes. */
  readonly startupBytes: number;
  /** usedBytes less all of the above: small keys of queues, allocator, error of the samples. Negative: samples overrate. */
  readonly unattributedBytes: number;
  /** Resident less used: beside usedBytes, and not counted against maxmemory. */
  readonly fragmentationBytes: number;
}

export interface ForeignKey {
  /** The name up to the first part that looks like an id. */
  readonly key: string;
  readonly bytes: number;
}

/** A queue that is being counted exactly, or was. */
export const CountSchema = z
  .object({
    queue: z.string(),
    state: z.enum(['running', 'done', 'stopped', 'failed']),
    countedJobs: z.number(),
    totalJobs: z.number(),
    startedAt: TimeSchema,
    endedAt: TimeSchema.nullable(),
    remainingSeconds: z.number().nullable().describe('When at this pace it will be done'),
    problem: z.string().nullable().describe('Why it failed'),
  })
  .meta({ id: 'MemoryCount', description: 'A queue that is counted job by job, or was.' });
export type CountProgress = ModelOf<typeof CountSchema>;

/** Why a queue can't be counted now; the message is for a person. */
export class CountRefused extends Error {
  readonly code: 'running' | 'unavailable' | 'not-permitted';
  constructor(code: CountRefused['code'], message: string) {
    super(message);
    this.name = 'CountRefused';
    this.code = code;
  }
}
