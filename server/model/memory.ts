/** Bytes by estimate: the truth lies within ± `errorBytes` in 95 of 100 cases; 0 where every job was counted. */
export interface Bytes {
  readonly bytes: number;
  readonly errorBytes: number;
}

/** What a job's memory is made of, and what a queue holds besides jobs. */
export type MemoryKind =
  /** The `data` of jobs. */
  | 'payload'
  /** The `opts` of jobs. */
  | 'options'
  | 'stack-traces'
  | 'return-values'
  /** Lines that processors wrote with job.log(). */
  | 'logs'
  /** Other fields of jobs, and what Redis needs to keep a hash. */
  | 'job-overhead'
  /** The lists and sorted sets of job ids. */
  | 'structure'
  | 'events'
  /** Job schedulers. */
  | 'schedulers'
  | 'locks'
  /** meta, metrics, markers. */
  | 'settings';

export interface StateMemory extends Bytes {
  readonly state: JobState;
  readonly jobs: number;
}

/** A type that the sample has not shown is not in here. */
export interface TypeMemory extends Bytes {
  readonly type: string;
  /** Jobs of it that are not finished, by estimate; ± in `unfinishedError`. */
  readonly unfinished: number;
  readonly unfinishedError: number;
  /** Of `bytes`: jobs that are not finished, completed ones and failed ones. */
  readonly backlogBytes: number;
  readonly completedBytes: number;
  readonly failedBytes: number;
  /** Mean size of one, in bytes. */
  readonly bytesPerJob: number;
}

export interface KindMemory extends Bytes {
  readonly kind: MemoryKind;
}

/**
 * What one queue holds, by MEMORY USAGE of sampled jobs, or of all of them where `source` is `count`. Adds up: states and
 * what is beside jobs = types and what is beside jobs = kinds = totalBytes.
 */
export interface QueueMemory {
  readonly readAtMs: number;
  readonly source: 'sample' | 'count';
  readonly sampledJobs: number;
  /** Waiting, prioritized, delayed, active and waiting-children jobs, with their lists. */
  readonly backlogBytes: number;
  readonly completedBytes: number;
  readonly failedBytes: number;
  readonly eventsBytes: number;
  readonly totalBytes: number;
  readonly errorBytes: number;
  readonly states: readonly StateMemory[];
  /** Largest first, at most MAX_TYPES_SHOWN and the rest as OTHER_TYPES. */
  readonly types: readonly TypeMemory[];
  readonly kinds: readonly KindMemory[];
  /** The largest job that the samples have met. */
  readonly largest: {
    readonly jobId: string;
    readonly type: string;
    readonly bytes: number;
    readonly state: JobState;
  } | null;
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
export interface CountProgress {
  readonly queueId: string;
  readonly state: 'running' | 'done' | 'stopped' | 'failed';
  readonly countedJobs: number;
  readonly totalJobs: number;
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
  /** When at this pace it will be done. */
  readonly remainingSeconds: number | null;
  /** Why it failed, for a person. */
  readonly problem: string | null;
}

export type JobState =
  | 'waiting'
  | 'prioritized'
  | 'active'
  | 'delayed'
  | 'waiting-children'
  | 'completed'
  | 'failed';

/** Why a queue can't be counted now; the message is for a person. */
export class CountRefused extends Error {
  readonly code: 'running' | 'unavailable' | 'not-permitted';
  constructor(code: CountRefused['code'], message: string) {
    super(message);
    this.name = 'CountRefused';
    this.code = code;
  }
}
