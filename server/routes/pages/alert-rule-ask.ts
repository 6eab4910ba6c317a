import type { RuleFieldProps } from '../../../views/alert-rule-page.js';
import type { AlertRule } from '../../alerts/rule.js';
import { RuleSchema, type RuleText, ruleOf } from '../../alerts/rule.js';
import { checkRule } from '../../alerts/rules-config.js';
import { FINDING_CODES } from '../../findings/index.js';
import { SIGNALS } from '../../signals/index.js';

type Kind = RuleText['condition']['kind'];
type Values = Readonly<Record<string, string>>;

/** What each kind of condition asks for, and what stands there at first. */
const ASKED: Readonly<Record<Kind, readonly (readonly [name: string, label: string, first: string])[]>> = {
  compare: [
    ['signal', 'Signal', 'queue_backlog_jobs'],
    ['is', 'is', 'above'],
    ['threshold', 'Threshold, in its unit', '1000'],
    ['clear', 'Resolve threshold', ''],
  ],
  'share-of-limit': [
    ['signal', 'Signal in bytes', 'queue_memory_bytes'],
    ['aboveRatio', 'Above this share of the memory limit (0 to 1)', '0.5'],
    ['clearRatio', 'Resolve threshold', ''],
  ],
  'rate-of-change': [
    ['signal', 'Signal', 'queue_backlog_jobs'],
    ['is', 'changes by', 'above'],
    ['perSecond', 'a second, in its unit', '10'],
    ['clearPerSecond', 'Resolve threshold', ''],
    ['windowSeconds', 'Window in seconds', '300'],
  ],
  predicted: [
    ['signal', 'Signal', 'redis_counted_bytes'],
    ['reaches', 'reaches (limit: what Redis may hold)', 'limit'],
    ['withinSeconds', 'within seconds', '1800'],
    ['clearSeconds', 'Resolve threshold', ''],
    ['windowSeconds', 'Trend of the last seconds', '1800'],
  ],
  absent: [
    ['signal', 'No', 'queue_departures_per_second'],
    ['whileSignal', 'while this', 'queue_backlog_jobs'],
    ['whileAbove', 'is above', '0'],
  ],
  baseline: [
    ['signal', 'Signal', 'queue_arrivals_per_second'],
    ['is', 'is', 'off'],
    ['deviations', 'its usual, by so many deviations', '6'],
    ['clearDeviations', 'Resolve threshold', ''],
    ['windowSeconds', 'Usual over the last seconds', '3600'],
  ],
  finding: [
    ['code', 'Problem', 'queue.*'],
    ['leastSeverity', 'At least', 'warning'],
  ],
};
export const KINDS = Object.keys(ASKED) as readonly Kind[];

/** Kinds of conditions as people choose among them. */
export const CONDITION_WORDS: Readonly<Record<Kind, string>> = {
  compare: 'Above or below a value',
  'share-of-limit': 'Share of the memory limit',
  'rate-of-change': 'Rate of change',
  predicted: 'Predicted',
  absent: 'No data',
  baseline: 'Anomaly',
  finding: 'A problem',
};

/** The kind of that name, or the first. */
export function kindOf(text: string | undefined): Kind {
  return KINDS.find((kind) => kind === text) ?? 'compare';
}

const CHOICES: Readonly<Record<string, readonly string[]>> = {
  'compare.is': ['above', 'below'],
  'rate-of-change.is': ['above', 'below'],
  'baseline.is': ['off', 'above', 'below'],
  'finding.leastSeverity': ['critical', 'warning', 'info'],
};
const TEXTS: ReadonlySet<string> = new Set(['signal', 'is', 'whileSignal', 'code', 'leastSeverity']);

/** The fields of the form. @param values by name as they were typed, or of a rule that is there. */
export function ruleFieldsOf(kind: Kind, values: Values): readonly RuleFieldProps[] {
  const value = (name: string, first: string): string => values[name] ?? first;
  const severities = ['critical', 'warning', 'info', ...(kind === 'finding' ? ['finding'] : [])];
  return [
    { name: 'name', label: 'Name', value: value('name', ''), isRequired: true },
    {
      name: 'severity',
      label: 'Severity',
      value: value('severity', kind === 'finding' ? 'finding' : 'warning'),
      choices: severities,
    },
    ...ASKED[kind].map(([name, label, first]): RuleFieldProps => {
      const choices = CHOICES[`${kind}.${name}`];
      const suggestions = suggestionsOf(name);
      return {
        name: `condition.${name}`,
        label,
        value: value(`condition.${name}`, first),
        ...(choices ? { choices } : {}),
        ...(suggestions ? { suggestions } : {}),
        ...(/^clear/.test(name) ? { hint: 'Empty: at the threshold.' } : {}),
      };
    }),
    { name: 'scope.instance', label: 'Redis', value: value('scope.instance', '*'), hint: '* is every one.' },
    { name: 'scope.queue', label: 'Queues', value: value('scope.queue', '*'), hint: 'A glob: bull:mail*' },
    { name: 'scope.type', label: 'Job types', value: value('scope.type', '*') },
    { name: 'forSeconds', label: 'For (seconds)', value: value('forSeconds', '60') },
    { name: 'keepFiringSeconds', label: 'Keep firing (seconds)', value: value('keepFiringSeconds', '60') },
    { name: 'runbookUrl', label: 'Runbook', value: value('runbookUrl', ''), hint: 'https://…' },
  ];
}

function suggestionsOf(name: string): readonly string[] | undefined {
  if (name === 'signal' || name === 'whileSignal') return SIGNALS.map((signal) => signal.name);
  return name === 'code' ? FINDING_CODES : undefined;
}

/** A rule as the fields of the form show it. */
export function valuesOf({ condition, scope, ...rule }: RuleText): Values {
  const shown = (value: unknown): string => (value === null || value === undefined ? '' : String(value));
  const of = (fields: object, prefix: string): [string, string][] =>
    Object.entries(fields).map(([name, value]) => [`${prefix}${name}`, shown(value)]);
  return Object.fromEntries([...of(rule, ''), ...of(condition, 'condition.'), ...of(scope, 'scope.')]);
}

/** The rule that was typed, or what is wrong with it. */
export function askOfRule(
  values: Values,
  id: string,
):
  | { readonly rule: AlertRule; readonly problems: null }
  | { readonly rule: null; readonly problems: readonly string[] } {
  const kind = kindOf(values['condition.kind']);
  const condition = Object.fromEntries(
    ASKED[kind].map(([name]) => [name, typed(name, values[`condition.${name}`] ?? '')]),
  );
  const parsed = RuleSchema.safeParse({
    id,
    name: values.name ?? '',
    enabled: values.enabled === 'on',
    severity: values.severity,
    condition: { kind, ...condition },
    scope: {
      instance: values['scope.instance'] || '*',
      queue: values['scope.queue'] || '*',
      type: values['scope.type'] || '*',
    },
    forSeconds: numberOf(values.forSeconds ?? ''),
    keepFiringSeconds: numberOf(values.keepFiringSeconds ?? ''),
    runbookUrl: values.runbookUrl ? values.runbookUrl : null,
  });
  if (!parsed.success)
    return {
      rule: null,
      problems: parsed.error.issues.map(({ path, message }) => `${labelOf(kind, path)}: ${message}`),
    };
  const rule = ruleOf(parsed.data);
  const problems = checkRule(rule).map(
    ({ field, value, problem }) => `${labelOf(kind, field.split('.'))}: ${String(value)} ${problem}`,
  );
  return problems.length > 0 ? { rule: null, problems } : { rule, problems: null };
}

function typed(name: string, text: string): unknown {
  if (TEXTS.has(name)) return name === 'whileSignal' && text === '' ? null : text.trim();
  if (text === '') return /^clear/.test(name) ? null : Number.NaN;
  return name === 'reaches' && text === 'limit' ? text : numberOf(text);
}

function numberOf(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text);
}

function labelOf(kind: Kind, path: readonly PropertyKey[]): string {
  const name = path.map(String).join('.');
  return ruleFieldsOf(kind, {}).find((field) => field.name === name)?.label ?? name;
}
