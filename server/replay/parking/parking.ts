import type { SkipReason } from '../parking-skip.js';

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

export type Skipped = Readonly<Partial<Record<SkipReason, number>>>;

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

/** Jobs a second under the guard where nobody set a rate: it begins with what most queues bear, and goes below it. */
export const GUARDED_PER_SECOND = 1_000;

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

/** Why nothing more is parked or brought back; for a person. */
export class ParkingError extends Error {
  readonly code: 'disk-full' | 'not-found' | 'invalid' | 'unavailable' | 'too-large';
  constructor(code: ParkingError['code'], message: string) {
    super(message);
    this.name = 'ParkingError';
    this.code = code;
  }
}
