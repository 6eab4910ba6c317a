import { z } from 'zod';
import { OutcomeFacts } from './action.js';
import { type ModelOf, TimeSchema } from './json.js';
import type { ReplaySpec } from './replay-spec.js';

/** Why a job that matched was left where it is. */
export const SKIP_REASONS = {
  'no-longer-there': 'was gone, or in another state, when its turn came',
  'flow-parent': 'is the parent of a flow: its children have ended and would not run again',
  'other-slot': 'is the child of a parent in another slot of the cluster',
  'job-missing': 'its id is in the set, but its hash is gone',
  'id-in-redis': 'a job of the same id is in Redis again',
} as const;
export type SkipReason = keyof typeof SKIP_REASONS;

/** Numbers that a replay keeps as it goes. */
export interface ReplayCounts {
  /** Jobs that matched when they were counted; null: not counted yet. */
  readonly counted: number | null;
  readonly moved: number;
  readonly succeeded: number;
  readonly failedAgain: number;
  readonly gone: number;
  /** Redis lost a moment and they are in the failed set again: they are moved again, and counted anew. */
  readonly cameBack: number;
  readonly skipped: Readonly<Partial<Record<SkipReason, number>>>;
}

export const NO_COUNTS: ReplayCounts = {
  counted: null,
  moved: 0,
  succeeded: 0,
  failedAgain: 0,
  gone: 0,
  cameBack: 0,
  skipped: {},
};

const ReplayAccountSchema = z
  .object({
    matched: z.number(),
    isCounted: z
      .boolean()
      .describe('false while they are being counted: then `matched` is what is known so far'),
    moved: z.number(),
    skipped: z.number(),
    skippedBecause: z.record(z.string(), z.number()).describe('By reason'),
    remaining: z.number(),
    succeeded: z.number(),
    failedAgain: z.number(),
    gone: z.number().describe('Ended or removed, kept nowhere: whether well is not known'),
    toRun: z.number(),
  })
  .describe(
    'matched = moved + skipped + remaining; moved = succeeded + failedAgain + gone + toRun: at any time',
  );
export type ReplayAccount = ModelOf<typeof ReplayAccountSchema>;

/**
 * The account of a replay at any time.
 * @param isSwept every job of the range has had its turn: what was counted and did not come was gone by then.
 */
export function accountOf(counts: ReplayCounts, isSwept: boolean): ReplayAccount {
  const handled = counts.moved + sumOf(counts.skipped);
  const matched = Math.max(counts.counted ?? 0, handled);
  const missing = isSwept ? matched - handled : 0;
  const skippedBecause: Record<string, number> = {};
  for (const [reason, count] of Object.entries(counts.skipped)) if (count) skippedBecause[reason] = count;
  if (missing > 0) skippedBecause['no-longer-there'] = (skippedBecause['no-longer-there'] ?? 0) + missing;
  return {
    matched,
    isCounted: counts.counted !== null,
    remaining: matched - handled - missing,
    moved: counts.moved,
    skipped: handled - counts.moved + missing,
    skippedBecause,
    succeeded: counts.succeeded,
    failedAgain: counts.failedAgain,
    gone: counts.gone,
    toRun: counts.moved - counts.succeeded - counts.failedAgain - counts.gone,
  };
}

function sumOf(skipped: ReplayCounts['skipped']): number {
  return Object.values(skipped).reduce((sum, count) => sum + (count ?? 0), 0);
}

/**
 * The life of a replay. A dry run comes before it and leaves no trace.
 *
 * - `running`: jobs are counted first (that takes seconds where they must be looked into), then moved at the pace that
 *   a person has set or, where live traffic would suffer, at that of the guard, down to a rest. A rest is not a pause:
 *   it ends by itself.
 * - `paused`: nothing is moved. By a person, or by the guard when what is replayed only fails again: that does not get
 *   better by itself, so a person has to resume it. What was moved is still watched.
 * - `done`: every job of the range has had its turn. What has come of the moved ones is watched on, for a day.
 * - `aborted`: a person has ended it; what remains stays where it was.
 * - `failed`: Redis refuses it for a reason that time does not heal (rights, a key that holds something else).
 *
 * A person moves it running ⇄ paused and either → aborted; the guard running → paused; the engine running → done or
 * failed. What has ended does not begin again: another replay of the same range takes what is left.
 */
export type ReplayState = 'running' | 'paused' | 'done' | 'aborted' | 'failed';

/** Where the sweep of one queue stands: all jobs up to this one have had their turn. */
export interface Cursor {
  /** The score (time of finishing) as Redis writes it. */
  readonly score: string;
  readonly id: string;
}

/** All that is known of a replay, as it is kept. */
export interface ReplayRecord {
  readonly id: string;
  readonly instance: string;
  readonly spec: ReplaySpec;
  /** Ids of the queues, fixed at the start. */
  readonly queues: readonly string[];
  readonly actor: string;
  readonly createdAtMs: number;
  /** Jobs that finished later don't match: one that fails again is not taken again. */
  readonly cutoffMs: number;
  readonly endedAtMs: number | null;
  readonly state: ReplayState;
  readonly pausedBy: 'person' | 'guard' | null;
  /** What a person has set; the guard stays below. */
  readonly ratePerSecond: number;
  /** Why it goes as it goes, or why it has ended: one sentence. */
  readonly reason: string;
  readonly counts: ReplayCounts;
  readonly cursors: Readonly<Record<string, Cursor>>;
  readonly isSwept: boolean;
  /** Redis or the console has broken off meanwhile: the range is swept once more at the end. */
  readonly needsResweep: boolean;
  readonly lastSeq: number;
  readonly baseline: GuardBaseline | null;
  /** The canary is what is moved from here on: set anew when a person resumes. */
  readonly canaryFrom: MovedOutcomes;
}

/** Has it ended? Then it never moves anything again. */
export function hasEnded({ state }: Pick<ReplayRecord, 'state'>): boolean {
  return state === 'done' || state === 'aborted' || state === 'failed';
}

/** Jobs of one batch. `characters` has one for each: see read-outcomes.lua and replay-jobs.lua; empty while `moving`. */
export interface ReplayBatch {
  readonly replay: string;
  readonly seq: number;
  /** `moving`: written before Redis is asked. `open`: some are still to run. `settled`: the end of all is known. */
  readonly phase: 'moving' | 'open' | 'settled';
  readonly queue: string;
  readonly jobs: readonly (readonly [id: string, score: string])[];
  readonly characters: string;
}

/** What has come of the jobs that a replay has moved. */
export interface MovedOutcomes {
  readonly moved: number;
  readonly succeeded: number;
  readonly failedAgain: number;
  /** Ended or removed, kept nowhere. */
  readonly gone: number;
}

/** The same, as it was before the replay began. */
export interface GuardBaseline {
  /** By queue id. A wait that had no end is kept as null: JSON knows no Infinity. */
  readonly waitSeconds: Readonly<Record<string, number | null>>;
  readonly roundTripMs: number | null;
}

/** What is known of a replay beside what is kept of it. */
export const ReplayNowSchema = z.object({
  pacePerSecond: z.number().describe('What it moves at most now; 0 while it rests or stands'),
  paceReason: z.string(),
  movedPerSecond: z.number().describe('Measured over the last seconds'),
  remainingSeconds: z.number().nullable().describe('At that rate; null: not known, or it stands'),
  account: ReplayAccountSchema,
});

/** A replay as pages and the API show it: what is kept, the account, and the pace of now. */
export interface ReplayView extends ModelOf<typeof ReplayNowSchema> {
  readonly record: ReplayRecord;
}

/** A queue that a replay service of the users' own feeds its work through, as config names it. */
export const ReplayQueueSchema = z
  .object({
    instance: z.string(),
    queue: z.string(),
    name: z.string(),
    state: z.enum(['running', 'paused-by-spillway', 'paused']).describe('paused: by the application itself'),
    backlog: z.number(),
    active: z.number(),
    perSecond: z.number().nullable().describe('Jobs that leave it in a second; null: not known yet'),
    rateLimit: z.object({ max: z.number(), durationMs: z.number() }).nullable(),
  })
  .meta({
    id: 'ReplayQueue',
    description:
      'A queue of a replay service of your own (`replayQueues` in the config file). One alone is changed by PATCH …/queues/{queue}.',
  });

export type ReplayQueueView = ModelOf<typeof ReplayQueueSchema>;

/** What one order made of one replay, or of one replay queue. The way back of a replay queue is an action; a replay is ordered back. */
export const OrderOutcomeSchema = OutcomeFacts.pick({
  status: true,
  summary: true,
  warnings: true,
  auditId: true,
  undo: true,
  isDryRun: true,
})
  .extend({
    replay: z.string().nullable().describe('null: a replay queue'),
    instance: z.string(),
    queues: z.array(z.string()),
  })
  .meta({ id: 'ReplayOrderOutcome' });

export type OrderOutcome = ModelOf<typeof OrderOutcomeSchema>;

const JobGroupSchema = z.object({ name: z.string(), jobs: z.number() });

export type JobGroup = ModelOf<typeof JobGroupSchema>;

/** What a replay would take. */
export const DryRunFacts = z.object({
  matched: z.number().describe('Of those looked at'),
  lookedAt: z.number(),
  inRange: z.number(),
  isComplete: z.boolean().describe('false: more jobs are in range than were looked at'),
  addedBytes: z
    .number()
    .describe('That Redis will hold more, of those looked at; 0: finished jobs are in it already'),
  byType: z.array(JobGroupSchema).describe('The most frequent first'),
  byError: z.array(JobGroupSchema),
  sample: z.array(
    z.object({
      queue: z.string(),
      id: z.string(),
      name: z.string(),
      finishedAt: TimeSchema.describe('Of a parked job: when its parking began'),
    }),
  ),
});

export type DryRun = ModelOf<typeof DryRunFacts>;
