import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse as parseYaml, YAMLParseError } from 'yaml';
import { z } from 'zod';
import { FINDING_CODES } from '../findings/index.js';
import { globMatcher } from '../model/text.js';
import { SIGNALS, signalNamed } from '../signals/index.js';
import { watchCondition } from './conditions.js';
import { DEFAULT_GROUP_TIMING, type GroupTiming } from './grouping.js';
import type { SignalCondition } from './rule.js';
import { type AlertRule, RuleSchema, ruleOf } from './rule.js';

interface RuleProblem {
  readonly field: string;
  readonly value: unknown;
  /** What would be right. */
  readonly problem: string;
}

/** What is wrong with a rule that has the right form: signals that do not exist, levels on the wrong side. */
export function checkRule({ condition, scope, severity }: AlertRule): readonly RuleProblem[] {
  if (condition.kind === 'finding') {
    const isCode = globMatcher(condition.code);
    if (FINDING_CODES.some(isCode)) return [];
    return [
      {
        field: 'condition.code',
        value: condition.code,
        problem: `matches no finding; there are ${nearest(condition.code, FINDING_CODES)}`,
      },
    ];
  }
  const problems: RuleProblem[] = [];
  const note = (field: string, value: unknown, problem: string): void =>
    void problems.push({ field, value, problem });
  if (severity === 'finding')
    note('severity', severity, 'must be critical, warning or info, as the rule is not over findings');
  const signal = signalNamed(condition.signal);
  if (!signal) {
    note(
      'condition.signal',
      condition.signal,
      `is no signal; did you mean ${nearest(condition.signal, NAMES)}?`,
    );
    return problems;
  }
  const bytes =
    condition.kind === 'share-of-limit' || (condition.kind === 'predicted' && condition.reaches === 'limit');
  if (bytes && signal.unit !== 'bytes')
    note(
      'condition.signal',
      condition.signal,
      `must be in bytes to be held against the memory limit, and is in ${signal.unit}`,
    );
  if (condition.kind === 'absent' && condition.whileSignal !== null) {
    const beside = signalNamed(condition.whileSignal);
    if (!beside)
      note(
        'condition.whileSignal',
        condition.whileSignal,
        `is no signal; did you mean ${nearest(condition.whileSignal, NAMES)}?`,
      );
    else if (beside.scope !== signal.scope)
      note(
        'condition.whileSignal',
        condition.whileSignal,
        `must be about the same as ${condition.signal} (${signal.scope}), and is about ${beside.scope}`,
      );
  }
  if (scope.type !== '*' && signal.scope !== 'job-type')
    note('scope.type', scope.type, `must be *, as ${condition.signal} is about ${signal.scope}`);
  if (scope.queue !== '*' && signal.scope !== 'job-type' && signal.scope !== 'queue')
    note('scope.queue', scope.queue, `must be *, as ${condition.signal} is about ${signal.scope}`);
  const { is, threshold, clear } = watchCondition(condition);
  if (is === 'above' ? clear > threshold : clear < threshold)
    note(
      `condition.${clearField(condition)}`,
      clear,
      `must not be ${is} the threshold ${threshold}, or it would be over while it holds`,
    );
  return problems;
}

const NAMES = SIGNALS.map(({ name }) => name);
const MAX_NAMED = 4;

function clearField({ kind }: SignalCondition): string {
  const fields = {
    compare: 'clear',
    'share-of-limit': 'clearRatio',
    'rate-of-change': 'clearPerSecond',
    predicted: 'clearSeconds',
    absent: 'whileAbove',
    baseline: 'clearDeviations',
  } as const;
  return fields[kind];
}

/** The names most like one that was mistyped, by the pairs of characters that they share (Dice's coefficient). */
function nearest(text: string, names: readonly string[]): string {
  const wanted = pairsOf(text);
  const likeness = (name: string): number => {
    const pairs = pairsOf(name);
    const shared = [...wanted].filter((pair) => pairs.has(pair)).length;
    return (2 * shared) / (wanted.size + pairs.size || 1);
  };
  return [...names]
    .map((name) => ({ name, like: likeness(name) }))
    .sort((a, b) => b.like - a.like)
    .slice(0, MAX_NAMED)
    .map(({ name }) => name)
    .join(', ');
}

function pairsOf(text: string): ReadonlySet<string> {
  return new Set(Array.from({ length: Math.max(0, text.length - 1) }, (_, i) => text.slice(i, i + 2)));
}

const seconds = z
  .number()
  .min(0, 'must be at least 0 s')
  .max(7 * 24 * 3600, 'must be at most a week');

/** What the configuration file may say of rules. Rules themselves are checked one by one, by `parseRules`. */
export const alertsSection = {
  /** YAML; beside the configuration file unless its path is absolute. */
  rulesFile: z.string().min(1).optional(),
  rules: z.array(z.unknown()).optional(),
  groupWaitSeconds: seconds.default(DEFAULT_GROUP_TIMING.waitMs.warning / 1000),
  groupIntervalSeconds: seconds.default(DEFAULT_GROUP_TIMING.intervalMs / 1000),
  repeatSeconds: seconds.min(60, 'must be at least 60 s').default(DEFAULT_GROUP_TIMING.repeatMs / 1000),
};
const section = z.object(alertsSection);

export interface AlertsConfig {
  /** Given as code: read-only in the page and the API. */
  readonly rules: readonly AlertRule[];
  readonly timing: GroupTiming;
}

/**
 * The rules that the configuration gives, and how messages are grouped.
 * @param configPath of the file that `section` is from; null: there is none.
 * @param problems takes every bad rule: rule, field, value and what would be right.
 */
export function alertsConfigOf(
  given: z.infer<typeof section>,
  configPath: string | null,
  problems: string[],
): AlertsConfig {
  const { rulesFile, rules, groupWaitSeconds, groupIntervalSeconds, repeatSeconds } = given;
  if (rulesFile !== undefined && rules !== undefined)
    problems.push('alerts: must have one of rulesFile and rules, and not both');
  const parsed =
    rules !== undefined
      ? parseRules(rules, 'alerts.rules')
      : rulesFile !== undefined
        ? readRules(resolve(configPath === null ? '.' : dirname(configPath), rulesFile))
        : { rules: [], problems: [] };
  problems.push(...parsed.problems);
  const waitMs = groupWaitSeconds * 1000;
  return {
    rules: parsed.rules,
    timing: {
      waitMs: { critical: 0, warning: waitMs, info: waitMs },
      intervalMs: groupIntervalSeconds * 1000,
      repeatMs: repeatSeconds * 1000,
    },
  };
}

function readRules(path: string) {
  try {
    const content: unknown = parseYaml(readFileSync(path, 'utf8')) ?? [];
    const isWrapped = typeof content === 'object' && content !== null && 'rules' in content;
    return parseRules(isWrapped ? content.rules : content, path);
  } catch (error) {
    const reason =
      error instanceof YAMLParseError
        ? `is not valid YAML: ${error.message.split('\n')[0]}`
        : "can't be read";
    return { rules: [], problems: [`alerts.rulesFile: ${path} ${reason}`] };
  }
}

/** More rules than this take too long a tick. */
export const MAX_RULES = 2_000;

/**
 * Rules as code: a list, each strict. Every problem names rule, field and value and what would be right.
 * @param source where they are from, such as the file's name or `alerts.rules`.
 */
function parseRules(
  content: unknown,
  source: string,
): { readonly rules: readonly AlertRule[]; readonly problems: readonly string[] } {
  if (!Array.isArray(content))
    return { rules: [], problems: [`${source}: must be a list of rules, each beginning with "- id:"`] };
  if (content.length > MAX_RULES)
    return { rules: [], problems: [`${source}: ${content.length} rules are more than ${MAX_RULES}`] };
  const rules: AlertRule[] = [];
  const problems: string[] = [];
  const ids = new Set<string>();
  content.forEach((entry: unknown, i) => {
    const label = `${source}: rule ${i + 1}${idOf(entry)}`;
    const parsed = RuleSchema.safeParse(entry);
    if (!parsed.success) {
      for (const issue of parsed.error.issues) {
        if (issue.code === 'unrecognized_keys')
          for (const key of issue.keys)
            problems.push(`${label}: ${[...issue.path, key].join('.')}: is not a field; check the spelling`);
        else
          problems.push(
            `${label}: ${issue.path.join('.') || 'rule'}: ${shown(entry, issue.path)} ${issue.message}`,
          );
      }
      return;
    }
    const rule = ruleOf(parsed.data);
    if (ids.has(rule.id))
      problems.push(`${label}: id: ${rule.id} is taken by a rule before; each needs its own`);
    ids.add(rule.id);
    for (const { field, value, problem } of checkRule(rule))
      problems.push(`${label}: ${field}: ${JSON.stringify(value)} ${problem}`);
    rules.push(rule);
  });
  return { rules: problems.length > 0 ? [] : rules, problems };
}

function idOf(entry: unknown): string {
  const id = typeof entry === 'object' && entry !== null ? Reflect.get(entry, 'id') : undefined;
  return typeof id === 'string' ? ` (${id.slice(0, 80)})` : '';
}

function shown(entry: unknown, path: readonly PropertyKey[]): string {
  const value = path.reduce<unknown>(
    (inside, key) => (typeof inside === 'object' && inside !== null ? Reflect.get(inside, key) : undefined),
    entry,
  );
  return value === undefined ? 'is missing:' : (JSON.stringify(value)?.slice(0, 80) ?? String(value));
}
