import { z } from '@hono/zod-openapi';
import type { AlertView } from '../../alerts/alert-commands.js';
import type { RuleTest } from '../../alerts/backtest.js';
import type { Silence } from '../../alerts/grouping.js';
import { alertFingerprint } from '../../alerts/notification.js';
import { RuleSchema, ruleText } from '../../alerts/rule.js';
import type { StoredRule } from '../../alerts/rules-store.js';
import { formatDuration, formatThings } from '../../model/format.js';
import { isoTime, jsonWriter, TimeSchema } from '../../model/json.js';

const SeveritySchema = z.enum(['critical', 'warning', 'info']);

export const SubjectSchema = z
  .object({
    instance: z.string(),
    node: z.string().nullable(),
    queue: z.string().nullable(),
    type: z.string().nullable(),
  })
  .openapi('AlertSubject');

export const SilenceSchema = z
  .object({
    id: z.string(),
    matchers: z.object({
      rule: z.string().optional(),
      cause: z.string().optional(),
      instance: z.string().optional(),
      queue: z.string().optional(),
      type: z.string().optional(),
      severity: SeveritySchema.optional(),
    }),
    author: z.string(),
    comment: z.string(),
    startsAt: TimeSchema,
    endsAt: TimeSchema,
    remainingSeconds: z.number(),
  })
  .openapi('Silence');

export const AlertSchema = z
  .object({
    id: z.string(),
    fingerprint: z.string().openapi({ description: 'The same as long as rule and subject are' }),
    state: z.enum(['pending', 'firing', 'resolved']),
    severity: SeveritySchema,
    rule: z.object({ id: z.string(), name: z.string() }),
    subject: SubjectSchema,
    cause: z.string().openapi({ description: 'Code of the finding, or signal: and its name' }),
    summary: z.string(),
    evidence: z.string().nullable(),
    value: z.number().nullable(),
    since: TimeSchema,
    firedAt: TimeSchema.nullable(),
    resolvedAt: TimeSchema.nullable(),
    isSeen: z.boolean().openapi({ description: 'false: not known at the last look; the state holds' }),
    inhibitedBy: z.string().nullable().openapi({ description: 'Rule of the alert that explains it' }),
    silencedBy: SilenceSchema.nullable(),
    acknowledged: z.object({ actor: z.string(), at: TimeSchema, note: z.string() }).nullable(),
    finding: z.object({ key: z.string(), code: z.string(), headline: z.string() }).nullable(),
    firstRemedy: z.string().nullable(),
    runbookUrl: z.string().nullable(),
    path: z.string().openapi({ description: 'Where the console shows it' }),
  })
  .openapi('Alert');

export const KeptRuleSchema = RuleSchema.extend({
  severity: z.enum(['critical', 'warning', 'info', 'finding']),
  source: z.enum(['default', 'user', 'file']),
  isReadOnly: z.boolean().openapi({ description: 'Given by the configuration: change it there' }),
  updatedAt: TimeSchema.nullable(),
  updatedBy: z.string().nullable(),
}).openapi('AlertRule');

export const RuleTestSchema = z
  .object({
    isTested: z.boolean(),
    why: z.string().nullable().openapi({ description: 'Why it was not tested against the past' }),
    summary: z.string().openapi({ example: 'would have fired 3 times for 2 subjects in the last day' }),
    from: TimeSchema,
    to: TimeSchema,
    times: z.number(),
    seriesTested: z.number(),
    isPartial: z.boolean().openapi({ description: 'More series match than were tested' }),
    unseenSeconds: z
      .number()
      .openapi({ description: 'Of the day, without a console that saw the instance: not counted' }),
    firings: z.array(
      z.object({ subject: SubjectSchema, firedAt: TimeSchema, resolvedAt: TimeSchema.nullable() }),
    ),
    holdsNowCount: z.number(),
    holdsNow: z.array(SubjectSchema),
  })
  .openapi('AlertRuleTest');

const writeAlert = jsonWriter(AlertSchema);
const writeSilence = jsonWriter(SilenceSchema);
const writeTest = jsonWriter(RuleTestSchema);

export function alertJson({ alert, finding, firstRemedy, path, silence }: AlertView, nowMs: number) {
  const { value } = alert;
  return writeAlert(alert, {
    fingerprint: alertFingerprint(alert),
    rule: { id: alert.ruleId, name: alert.ruleName },
    value: value !== null && Number.isFinite(value) ? value : null,
    isSeen: alert.seen !== 'unknown',
    silencedBy: silence && silenceJson(silence, nowMs),
    finding: finding && { ...finding },
    firstRemedy,
    path,
  });
}

export function silenceJson(silence: Silence, nowMs: number) {
  return writeSilence(silence, { remainingSeconds: Math.max(0, silence.endsAtMs - nowMs) / 1000 });
}

export function ruleJson({ rule, source, updatedAtMs, updatedBy }: StoredRule) {
  return {
    ...ruleText(rule),
    source,
    isReadOnly: source === 'file',
    updatedAt: isoTime(updatedAtMs),
    updatedBy,
  };
}

export function ruleTestJson(test: RuleTest) {
  return writeTest(test, { summary: testSummary(test), unseenSeconds: test.unseenMs / 1000 });
}

/** A restart is not worth a word. */
const MIN_SHOWN_UNSEEN_MS = 5 * 60_000;

/** What a rule would have done, in one line. */
export function testSummary(test: RuleTest): string {
  const { isTested, why, times, firings, holdsNowCount, isPartial, unseenMs } = test;
  const now = holdsNowCount === 0 ? 'it holds for none now' : `it holds for ${holdsNowCount} now`;
  if (!isTested) return `${why ?? 'not tested'}; ${now}`;
  const whom = new Set(firings.map(({ subject }) => JSON.stringify(subject))).size;
  const past =
    times === 0
      ? 'would not have fired in the last day'
      : `would have fired ${formatThings(times, 'time')} for ${formatThings(whom, 'subject')} in the last day`;
  const unseen =
    unseenMs < MIN_SHOWN_UNSEEN_MS
      ? ''
      : `, of which ${formatDuration(unseenMs / 1000)} was not seen and is not counted`;
  return `${past}${isPartial ? ' (of those that were tested)' : ''}${unseen}; ${now}`;
}
