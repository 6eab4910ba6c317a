import { z } from 'zod';
import type { Remedy } from './finding.js';
import type { ModelOf } from './json.js';
import { type Permits, switchedOff } from './permits.js';
import type { Plan, PlanChange } from './plan.js';

/** A value as a person reads it: "global concurrency" 4 → 0. */
const FieldSchema = z.object({ label: z.string(), before: z.string(), after: z.string() });
export type Field = ModelOf<typeof FieldSchema>;

/** One step of several that are applied in order: what it would do, or what it did. */
export const StepSchema = z
  .object({
    action: z.string(),
    title: z.string(),
    queues: z.array(z.string()),
    status: z
      .enum(['planned', 'done', 'unchanged', 'failed', 'not-needed', 'not-reached'])
      .describe(
        'not-needed: the aim was reached before. not-reached: an earlier step failed. Whatever else was done stays in force',
      ),
    summary: z.string(),
    fields: z.array(FieldSchema),
    warnings: z.array(z.string()),
    predictedFreedBytes: z.number().nullable(),
    freedBytes: z.number().nullable().describe('Measured'),
    roomBytes: z
      .number()
      .nullable()
      .describe('Free under maxmemory after it, as Redis says; null: not done, or no limit'),
    isReversible: z.boolean(),
    auditIds: z.array(z.string()).describe('Each step is in the audit by itself, one record for each queue'),
  })
  .meta({ id: 'ActionStep' });
export type ActionStep = ModelOf<typeof StepSchema>;

/** What a preview says, beside warnings and forecast. */
export const PreviewFacts = z.object({
  summary: z.string().describe('One sentence: what it will do'),
  fields: z.array(FieldSchema),
  effects: z.array(z.string()).describe('Predicted, a sentence each, with numbers'),
  affected: z.object({ queues: z.number(), workers: z.number().nullable(), jobs: z.number() }),
  predictedFreedBytes: z.number().nullable(),
  isReversible: z.boolean(),
  mechanism: z.string().describe('What is used in Redis, for those who want to know'),
  isNoop: z.boolean().describe('It is already as asked for'),
});

export interface Preview extends ModelOf<typeof PreviewFacts> {
  /** Plain words where it would hurt in the present state, or may not mean what it seems. */
  readonly warnings: readonly ActionWarning[];
  /** What the planner counts on, where the action changes how a queue drains. */
  readonly forecast?: Forecast | null;
  /** Where it is several actions: each of them, in order. */
  readonly steps?: readonly ActionStep[];
}

/** An action and its arguments: what undo and remedies hold. */
export const ActionCallSchema = z.object({
  action: z.string(),
  instance: z.string(),
  queues: z.array(z.string()),
  jobId: z.string().optional(),
  workers: z.array(z.string()).optional().describe('Ids of workers; `queues` is empty then'),
  args: z.record(z.string(), z.unknown()),
});
export type ActionCall = ModelOf<typeof ActionCallSchema>;

/** The way back: an action to be run on the same target. */
export interface Undo {
  readonly action: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** What apply did. */
export interface Applied {
  readonly summary: string;
  /** Left out: it frees nothing, or how much is not known. */
  readonly freedBytes?: number | null;
  /** True where it turned out that there was nothing to change. */
  readonly isUnchanged?: boolean;
  /** It goes on by itself: what is said is how far it has come. */
  readonly isUnderWay?: boolean;
  /** What came of it at each worker. */
  readonly workers?: readonly WorkerResult[];
  /** What came of each of several steps. */
  readonly steps?: readonly ActionStep[];
  /** The way back, where only what was done tells it. Left out: as it was known before. */
  readonly undo?: Undo | null;
}

/** What reading back showed. */
export interface Verified {
  readonly ok: boolean;
  readonly summary: string;
  readonly fields: readonly Field[];
  /** Left out: none. */
  readonly warnings?: readonly string[];
}

export type ActionScope = 'instance' | 'queue' | 'job' | 'worker';

/** What one worker made of an order. */
export const WorkerResultSchema = z
  .object({
    worker: z.string(),
    label: z.string(),
    result: z
      .enum(['applied', 'refused', 'no-answer', 'late'])
      .describe('no-answer, late (its clock is too far off): it follows what is kept when it is heard again'),
    note: z.string().nullable().describe('Why it was refused, or what to know'),
    concurrency: z.number().nullable().describe('In force now, as the worker says'),
  })
  .meta({ id: 'WorkerResult' });
export type WorkerResult = ModelOf<typeof WorkerResultSchema>;

const OutcomeStatusSchema = z
  .enum(['applied', 'unchanged', 'unverified', 'failed', 'refused'])
  .describe(
    'applied: done and read back. unchanged: was so already. unverified: in force, or perhaps so, and not confirmed by all. failed, refused: nothing was changed',
  );
export type OutcomeStatus = z.output<typeof OutcomeStatusSchema>;

/** What one action did to one target, beside its preview. */
export const OutcomeFacts = z.object({
  status: OutcomeStatusSchema,
  action: z.string(),
  instance: z.string(),
  queue: z.string().nullable(),
  jobId: z.string().nullable(),
  worker: z.string().nullable(),
  workers: z.array(WorkerResultSchema).describe('What came of an order at each worker.'),
  summary: z.string(),
  fields: z.array(FieldSchema),
  warnings: z.array(z.string()),
  freedBytes: z.number().nullable(),
  undo: ActionCallSchema.nullable(),
  auditId: z.string().nullable(),
  durationMs: z.number(),
  isDryRun: z.boolean(),
});

export interface Outcome extends ModelOf<typeof OutcomeFacts> {
  readonly preview: Preview | null;
  /** It goes on by itself. Left out: it does not. */
  readonly isUnderWay?: boolean;
  /** What came of each of several steps. */
  readonly steps?: readonly ActionStep[];
  /** Of what is to make room: does it suffice, and what is next? Left out: it is not about room, or Redis has some. */
  readonly aim?: Aim;
  /** The store could not be written: the change is in no audit. */
  readonly isAuditLost?: boolean;
}

/** Whether what was done was enough: writes pass for ten minutes. */
export interface Aim {
  /** null: they pass now, and for how long is not known. */
  readonly isReached: boolean | null;
  readonly summary: string;
  readonly next: Remedy | null;
}

/** A refusal that a person can act on: what happened, to what, what to do. */
export class ActionError extends Error {
  readonly code:
    | 'unavailable'
    | 'invalid'
    | 'forbidden'
    | 'ambiguous'
    | 'refused-by-redis'
    | 'refused-by-workers'
    | 'not-found'
    | 'unreachable'
    | 'disk-full'
    | 'too-large';
  /** One entry a bad field, where the request itself is wrong. */
  readonly fields: readonly { readonly field: string; readonly value: unknown; readonly problem: string }[];
  constructor(code: ActionError['code'], message: string, fields: ActionError['fields'] = []) {
    super(message);
    this.name = 'ActionError';
    this.code = code;
    this.fields = fields;
  }
}

/** A change that may be in force, and of which nobody knows for sure: the message says what is so and what to look at. */
export class Unconfirmed extends Error {
  override readonly name = 'Unconfirmed';
}

export interface ActionWarning {
  readonly text: string;
  /** What to do first or instead. */
  readonly instead: readonly Remedy[];
}

/** What the planner says of a change, as a preview shows it. */
export interface Forecast {
  readonly change: PlanChange;
  readonly plan: Plan;
}

/** An action to be run: asked for by a person in the drawer, a remedy button, automation, or undo. */
export interface ActionRequest {
  readonly action: string;
  readonly instance: string;
  /** Queue ids. Empty for scope instance. */
  readonly queues: readonly string[];
  /** Glob over queue ids and names, instead of `queues`. */
  readonly match?: string;
  readonly jobId?: string;
  /** Ids of workers, for actions of scope worker. */
  readonly workers?: readonly string[];
  readonly args: unknown;
  /** Empty: none was given. */
  readonly reason: string;
  readonly dryRun: boolean;
}

/** @param permits of the Snapshot that it is about; absent: nothing is off. @throws ActionError where it is switched off. */
export function requirePermitted(permits: Permits | undefined, action: string): void {
  const off = permits && switchedOff(permits, action);
  if (off) throw new ActionError('forbidden', off);
}
