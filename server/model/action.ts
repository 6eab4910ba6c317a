import type { Remedy } from './finding.js';
import type { Plan, PlanChange } from './plan.js';

/** A value as a person reads it: "global concurrency" 4 → 0. */
export interface Field {
  readonly label: string;
  readonly before: string;
  readonly after: string;
}

export interface Preview {
  /** One sentence: what it will do. */
  readonly summary: string;
  readonly fields: readonly Field[];
  /** Predicted effects, a sentence each, with numbers. */
  readonly effects: readonly string[];
  /** Plain words where it would hurt in the present state, or may not mean what it seems. */
  readonly warnings: readonly ActionWarning[];
  /** Who is hit. */
  readonly affected: { readonly queues: number; readonly workers: number | null; readonly jobs: number };
  readonly predictedFreedBytes: number | null;
  readonly isReversible: boolean;
  /** Which mechanism in Redis is used, for those who want to know. */
  readonly mechanism: string;
  /** True when the state is already what is asked for. */
  readonly isNoop: boolean;
  /** What the planner counts on, where the action changes how a queue drains. */
  readonly forecast?: Forecast | null;
}

/** An action and its arguments: what undo and remedies hold. */
export interface ActionCall {
  readonly action: string;
  readonly instance: string;
  readonly queues: readonly string[];
  readonly jobId?: string;
  /** Ids of workers, for scope worker; `queues` is empty then. */
  readonly workers?: readonly string[];
  readonly args: Readonly<Record<string, unknown>>;
}

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
  /** What came of it at each worker. */
  readonly workers?: readonly WorkerResult[];
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

/**
 * `applied`: done, and read back so. `unverified`: in force, or perhaps so, and not confirmed by all. `failed`, `refused`:
 * nothing was changed.
 */
export type OutcomeStatus = 'applied' | 'unchanged' | 'unverified' | 'failed' | 'refused';

/** What one action did to one target. */
export interface Outcome {
  readonly status: OutcomeStatus;
  readonly action: string;
  readonly instance: string;
  readonly queue: string | null;
  readonly jobId: string | null;
  /** Id of the worker, for actions of scope worker. */
  readonly worker: string | null;
  /** What came of it at each worker, for actions that give orders. */
  readonly workers: readonly WorkerResult[];
  readonly summary: string;
  readonly preview: Preview | null;
  readonly fields: readonly Field[];
  readonly warnings: readonly string[];
  readonly freedBytes: number | null;
  readonly undo: ActionCall | null;
  readonly auditId: string | null;
  /** The store could not be written: the change is in no audit. */
  readonly isAuditLost?: boolean;
  readonly durationMs: number;
  readonly isDryRun: boolean;
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
    | 'unreachable';
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
  readonly reason: string;
  readonly dryRun: boolean;
}

/** What one worker made of an order. */
export interface WorkerResult {
  readonly worker: string;
  readonly label: string;
  /** `late`: its clock is too far from the console's for live orders. */
  readonly result: 'applied' | 'refused' | 'no-answer' | 'late';
  /** Why it was refused, or what to know; null: nothing to say. */
  readonly note: string | null;
  /** What the worker says is in force now; null: it did not answer. */
  readonly concurrency: number | null;
}
