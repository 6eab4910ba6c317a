import { z } from '@hono/zod-openapi';
import type { Severity } from '../model/finding.js';

const MAX_SECONDS = 24 * 3600;
const SEVERITIES = ['critical', 'warning', 'info'] as const;

const number = z.number('must be a number').refine(Number.isFinite, 'must be a number that is not endless');
const seconds = (least: number, most = MAX_SECONDS) =>
  z
    .number('must be a number of seconds')
    .min(least, `must be at least ${least} s`)
    .max(most, `must be at most ${most} s`);
const glob = z
  .string('must be a glob such as bull:mail*')
  .min(1, 'must not be empty: * is everything')
  .max(300, 'must be at most 300 characters')
  .default('*');
const signal = z.string('must name a signal').openapi({
  description: 'Name of a signal as /metrics has it, without spillway_',
  example: 'queue_memory_bytes',
});
const side = z.enum(['above', 'below'], 'must be above or below');
const windowSeconds = (normal: number) =>
  seconds(30).default(normal).describe('What the trend or habit is known by');
const clear = number
  .nullable()
  .default(null)
  .describe('It is over at or behind this; null: at the threshold itself');

const ConditionSchema = z
  .discriminatedUnion(
    'kind',
    [
      /** A signal beyond a number, in the signal's unit. */
      z.strictObject({
        kind: z.literal('compare'),
        signal,
        is: side,
        threshold: number.describe('In the unit of the signal'),
        clear,
      }),
      /** A signal in bytes beyond a share of what Redis may hold (maxmemory, else container or host). */
      z.strictObject({
        kind: z.literal('share-of-limit'),
        signal,
        aboveRatio: number.min(0, 'must be at least 0').max(1, 'must be at most 1: 0.8 is 80%'),
        clearRatio: clear,
      }),
      /** A signal that changes too fast, over a window. */
      z.strictObject({
        kind: z.literal('rate-of-change'),
        signal,
        is: side,
        perSecond: number,
        clearPerSecond: clear,
        windowSeconds: windowSeconds(300),
      }),
      /** At its present trend a signal reaches a level soon; `limit`: what Redis may hold, for bytes. */
      z.strictObject({
        kind: z.literal('predicted'),
        signal,
        reaches: z
          .union([number, z.literal('limit')], 'must be a number in the unit of the signal, or limit')
          .default('limit'),
        withinSeconds: seconds(1, 7 * MAX_SECONDS),
        clearSeconds: clear,
        windowSeconds: windowSeconds(900),
      }),
      /** Nothing comes: the signal is 0 or not known, while another one (where given) is above a number. */
      z.strictObject({
        kind: z.literal('absent'),
        signal,
        whileSignal: z
          .string('must name a signal')
          .nullable()
          .default(null)
          .describe('It counts only while this signal of the same subject is above whileAbove; null: always'),
        whileAbove: number.default(0),
      }),
      /** A signal that many times its usual deviation from what it usually is. */
      z.strictObject({
        kind: z.literal('baseline'),
        signal,
        is: z.enum(['above', 'below', 'off'], 'must be above, below or off').default('off'),
        deviations: number.min(1, 'must be at least 1').default(6),
        clearDeviations: clear,
        windowSeconds: windowSeconds(3600),
      }),
      /** What the console finds by itself. */
      z.strictObject({
        kind: z.literal('finding'),
        code: z
          .string('must be a glob of codes such as worker.*')
          .min(1, 'must not be empty')
          .openapi({ example: 'redis.full' }),
        leastSeverity: z.enum(SEVERITIES, 'must be critical, warning or info').default('warning'),
      }),
    ],
    'must be one of compare, share-of-limit, rate-of-change, predicted, absent, baseline, finding',
  )
  .openapi('AlertCondition');
export type Condition = Readonly<z.infer<typeof ConditionSchema>>;
export type ConditionOf<Kind extends Condition['kind']> = Extract<Condition, { readonly kind: Kind }>;
export type SignalCondition = Exclude<Condition, { readonly kind: 'finding' }>;

const runbook = z
  .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
  .max(500, 'must be at most 500 characters')
  .nullable();
const name = z
  .string('must be text')
  .trim()
  .min(1, 'must say what is wrong')
  .max(100, 'must be at most 100 characters')
  .regex(/^\P{Cc}*$/u, 'must be one line');
export const ruleId = z
  .string('must be text')
  .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'must be 1 to 64 lower-case characters, digits and dashes');

/**
 * Whom a rule is about. `queue` is a glob of ids (`prefix:name`): signals that are not about a queue ignore it, findings
 * about none match `*` alone.
 */
const ScopeSchema = z.strictObject({ instance: glob, queue: glob, type: glob });
export const EVERYTHING: Readonly<z.infer<typeof ScopeSchema>> = { instance: '*', queue: '*', type: '*' };

/** A rule as a file and the API write it; what is left out has its default. */
export const RuleSchema = z.strictObject({
  id: ruleId,
  name,
  enabled: z.boolean('must be true or false').default(true),
  severity: z
    .enum([...SEVERITIES, 'finding'], 'must be critical, warning, info, or finding (that of the finding)')
    .optional()
    .describe('warning unless given; of the finding for rules over findings'),
  scope: ScopeSchema.prefault({}),
  condition: ConditionSchema,
  forSeconds: seconds(0).default(60).describe('It must hold for so long before it fires'),
  keepFiringSeconds: seconds(0)
    .default(60)
    .describe('It must be over for so long before it is resolved; longer where it flaps'),
  runbookUrl: runbook.default(null),
});
export type RuleText = z.infer<typeof RuleSchema>;

/** The changes that PATCH takes: a field that is given replaces the whole of what was there. */
export const RuleChangeSchema = z
  .strictObject({
    name,
    enabled: z.boolean('must be true or false'),
    severity: z.enum([...SEVERITIES, 'finding'], 'must be critical, warning, info or finding'),
    scope: ScopeSchema,
    condition: ConditionSchema,
    forSeconds: seconds(0),
    keepFiringSeconds: seconds(0),
    runbookUrl: runbook,
  })
  .partial();

/** What is worth waking somebody for: a rule as it is judged and kept. */
export interface AlertRule {
  readonly id: string;
  readonly name: string;
  readonly isEnabled: boolean;
  /** `finding`: that of the finding, for rules over findings. */
  readonly severity: Severity | 'finding';
  readonly scope: typeof EVERYTHING;
  readonly condition: Condition;
  /** It must hold for so long, as far as it was looked at. */
  readonly forMs: number;
  /** It must be over for so long; longer where it flaps. */
  readonly keepFiringMs: number;
  readonly runbookUrl: string | null;
}

/** From the text of a file or the API. */
export function ruleOf(text: RuleText): AlertRule {
  const { id, enabled, severity, scope, condition, forSeconds, keepFiringSeconds, runbookUrl } = text;
  return {
    id,
    name: text.name,
    isEnabled: enabled,
    severity: severity ?? (condition.kind === 'finding' ? 'finding' : 'warning'),
    scope,
    condition,
    forMs: forSeconds * 1000,
    keepFiringMs: keepFiringSeconds * 1000,
    runbookUrl,
  };
}

/** The same as text, as the API shows it. */
export function ruleText(rule: AlertRule): RuleText & { readonly severity: AlertRule['severity'] } {
  const { id, name: title, isEnabled, severity, scope, condition, forMs, keepFiringMs, runbookUrl } = rule;
  return {
    id,
    name: title,
    enabled: isEnabled,
    severity,
    scope,
    condition,
    forSeconds: forMs / 1000,
    keepFiringSeconds: keepFiringMs / 1000,
    runbookUrl,
  };
}
