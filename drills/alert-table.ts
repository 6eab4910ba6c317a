import type { z } from '@hono/zod-openapi';
import type { RuleSchema } from '../server/alerts/rule.js';
import type { ApiAlert } from './api.js';

/** What a drill makes happen, and what the console therefore has to notify of: no more and no less. */
export interface AlertTable {
  readonly expected: readonly ExpectedAlert[];
  /** Rules as code beside the default ones, of somebody who knows these queues. */
  readonly rules?: readonly z.input<typeof RuleSchema>[];
  /** What is true as well, and may alert or not: at the edge of a drill's short time. */
  readonly allowed?: readonly AllowedAlert[];
  /** Rule of the alert that is followed until somebody was sent it; none: nobody is. */
  readonly delivered?: string;
}

/** Whom an alert is about. */
export interface Whom {
  /** Id of the rule. */
  readonly rule: string;
  /** One that says the same with less: where the console is not sure of the other at every tick. */
  readonly or?: string;
  /** Name of the queue; none: it is about no single one. */
  readonly queue?: string;
  readonly type?: string;
  /** What its sentence has to say besides, such as the worker's name. */
  readonly naming?: string | readonly string[];
}

export interface ExpectedAlert extends Whom {
  /** Moment of the drill from which on it is so. */
  readonly from: string;
  /** An alert that fires since this earlier moment may go on instead, and say more from then on. */
  readonly orSince?: string;
  /** Until it differs from what is ordinary; the time of its rule comes on top. */
  readonly noticedWithinSeconds: number;
  /** Moment from which on it is no longer so; none: it is so until the drill ends. */
  readonly until?: string;
  /** Nobody promises when it is over: a crash is shown for a while. */
  readonly isOpenEnded?: boolean;
  /** Until its end can be seen; the time for which its rule keeps firing comes on top. */
  readonly overWithinSeconds?: number;
}

export interface AllowedAlert extends Whom {
  /** Why it is no false alarm. */
  readonly because: string;
}

/** An alert from its first sign to its end, as the API reported it. */
export interface SeenAlert {
  /** As it was reported last. */
  readonly alert: ApiAlert;
  /** When it was first seen to fire with nothing that explains it: somebody is notified. null: never. */
  readonly notifiedAtMs: number | null;
  /** All that it has said. */
  readonly sentences: ReadonlySet<string>;
}

/** Rule and whom it is about, in words. */
export function nameOf({ rule, subject: { queue, type } }: Pick<ApiAlert, 'rule' | 'subject'>): string {
  return [rule.id, ...(queue === null ? [] : [queue]), ...(type === null ? [] : [type])].join(' ');
}

/** The same of what a table says. */
export function wordsOf({ rule, queue, type, naming = [] }: Whom): string {
  return [rule, queue, type, [naming].flat()[0]].filter((word) => word !== undefined).join(' ');
}

export function isAbout({ alert: { rule, subject }, sentences }: SeenAlert, whom: Whom): boolean {
  return (
    (rule.id === whom.rule || rule.id === whom.or) &&
    subject.queue === (whom.queue === undefined ? null : `bull:${whom.queue}`) &&
    subject.type === (whom.type ?? null) &&
    [...sentences].some((sentence) => [whom.naming ?? []].flat().every((word) => sentence.includes(word)))
  );
}
