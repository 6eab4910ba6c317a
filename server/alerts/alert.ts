import { z } from 'zod';
import { BriefSchema } from '../model/brief.js';
import type { FindingKey, Severity } from '../model/finding.js';
import { type ModelOf, TimeSchema } from '../model/json.js';
import type { Lifecycle } from '../timeline/lifecycle.js';

/** Whom it is about, as signals have it; null: not about one. */
export const SubjectSchema = z
  .object({
    instance: z.string(),
    node: z.string().nullable(),
    queue: z.string().nullable(),
    type: z.string().nullable(),
  })
  .meta({ id: 'AlertSubject' });

const AcknowledgementSchema = z.object({ actor: z.string(), at: TimeSchema, reason: z.string() });
export type AlertAcknowledgement = ModelOf<typeof AcknowledgementSchema>;

/** What channels were sent of an alert last. */
interface LastNotified {
  readonly status: 'firing' | 'resolved';
  readonly severity: Severity;
  readonly atMs: number;
}

/** What the API answers of an alert as it is kept. */
export const AlertFacts = z.object({
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
export interface Alert extends Lifecycle, ModelOf<typeof AlertFacts> {
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

/** What one tick did to one alert. `dropped`: it was pending, and never fired. */
export interface Transition {
  readonly kind: 'pending' | 'firing' | 'resolved' | 'dropped';
  readonly alert: Alert;
}

/** Firings further back say nothing about flapping now. */
export const FLAP_WINDOW_MS = 3_600_000;
/** So many firings in the window are not flapping yet. */
const CALM_FIRINGS = 2;
const MAX_KEEP_MS = 30 * 60_000;
/** What a rule that resolves at once gets when it flaps. */
const MIN_FLAP_KEEP_MS = 15_000;

/**
 * How long an alert must be over before it is resolved: what its rule says, doubled for every firing beyond the second
 * in the last hour, to at most half an hour. One that flaps becomes one long alert and not twenty messages.
 * @param firings when it fired before and this time, in any order.
 */
export function dampedKeepMs(keepFiringMs: number, firings: readonly number[], nowMs: number): number {
  const lately = firings.filter((atMs) => atMs > nowMs - FLAP_WINDOW_MS).length;
  if (lately <= CALM_FIRINGS) return keepFiringMs;
  const doubled = Math.max(keepFiringMs, MIN_FLAP_KEEP_MS) * 2 ** (lately - CALM_FIRINGS);
  return Math.max(keepFiringMs, Math.min(MAX_KEEP_MS, doubled));
}
