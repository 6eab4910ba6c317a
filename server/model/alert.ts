import { z } from 'zod';
import { BriefSchema } from './brief.js';
import type { Finding, FindingKey, Severity } from './finding.js';
import { type ModelOf, TimeSchema } from './json.js';
import type { Lifecycle } from './lifecycle.js';
import type { Silence } from './silence.js';

/** Whom it is about, as signals have it; null: not about one. */
export const SubjectSchema = z
  .object({
    instance: z.string(),
    node: z.string().nullable(),
    queue: z.string().nullable(),
    type: z.string().nullable(),
  })
  .meta({ id: 'AlertSubject' });
type AlertSubject = ModelOf<typeof SubjectSchema>;

const AcknowledgementSchema = z.object({ actor: z.string(), at: TimeSchema, reason: z.string() });

export type AlertAcknowledgement = ModelOf<typeof AcknowledgementSchema>;

/** What channels were sent of an alert last. */
interface LastNotified {
  readonly status: 'firing' | 'resolved';
  readonly severity: Severity;
  readonly atMs: number;
}

/** What the API answers of an alert as it is kept. */
export const StoredAlertSchema = z.object({
  id: z.string(),
  state: z.enum(['pending', 'firing', 'resolved']),
  severity: z.enum(['critical', 'warning', 'info']),
  subject: SubjectSchema,
  code: z
    .string()
    .describe('Of the finding, or `signal:` and its name: what one message and inhibition go by'),
  ...BriefSchema.shape,
  evidence: z.string().nullable(),
  since: TimeSchema,
  firedAt: TimeSchema.nullable(),
  resolvedAt: TimeSchema.nullable(),
  inhibitedBy: z
    .string()
    .nullable()
    .describe('Rule of the alert that explains this one, so that nobody is notified of it by itself'),
  acknowledged: AcknowledgementSchema.nullable(),
  firstRemedy: z.string().nullable().describe('Label and effect; null: none is known'),
  runbookUrl: z.string().nullable(),
});

/** One trouble of one subject by one rule, from its first sign to its end. Plain data: what is kept is what is restored. */
export interface Alert extends Lifecycle, ModelOf<typeof StoredAlertSchema> {
  /** Rule and subject: the next alert about the same has the same key. */
  readonly key: string;
  readonly ruleId: string;
  readonly ruleName: string;
  /** The finding behind it; null: the rule is over a signal. */
  readonly findingKey: FindingKey | null;
  /** What the rule compares; null: not known now, or the rule is over findings. */
  readonly value: number | null;
  readonly notified: LastNotified | null;
}

/** Longer names are cut in sentences: messages have to be short. */
const MAX_CHARS = 60;

/** Whom an alert is about, as people say it: `track of monitors`, `mail`, `10.0.0.1:6379`. */
export function subjectName({ instance, node, queue, type }: AlertSubject): string {
  if (type !== null) return `${cut(type)} of ${queueLabel(queue ?? '')}`;
  if (queue !== null) return queueLabel(queue);
  return node === null ? `Redis ${instance}` : `Redis ${instance} (${node})`;
}

/** A queue's id without the usual prefix. */
function queueLabel(id: string): string {
  return cut(id.startsWith('bull:') ? id.slice('bull:'.length) : id);
}

export function cut(text: string): string {
  const line = text.toWellFormed().replace(/\p{Cc}+/gu, ' ');
  return line.length > MAX_CHARS ? `${line.slice(0, MAX_CHARS - 1)}…` : line;
}

/** An alert as the page and the API show it. */
export interface AlertView {
  readonly alert: Alert;
  /** The finding that explains it and has its remedies; null: none. */
  readonly finding: Pick<Finding, 'key' | 'code' | 'headline'> | null;
  readonly firstRemedy: string | null;
  readonly path: string;
  readonly silence: Silence | null;
}

/** Alerts of one cause: one to look at, others of the same kind, and what follows from it. */
export interface AlertGroup {
  readonly head: AlertView;
  /** Others that the same cause sets off, such as for other queues. */
  readonly alike: readonly AlertView[];
  /** Of which nobody is notified by itself. */
  readonly following: readonly AlertView[];
}

/** What one tick did to one alert. `dropped`: it was pending, and never fired. */
export interface Transition {
  readonly kind: 'pending' | 'firing' | 'resolved' | 'dropped';
  readonly alert: Alert;
}
