import { FINDING_CODES } from '../findings/index.js';
import { globMatcher } from '../model/text.js';
import { SIGNALS, signalNamed } from '../signals/index.js';
import { watchCondition } from './conditions.js';
import type { AlertRule, SignalCondition } from './rule.js';

export interface RuleProblem {
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
