import type { Finding } from '../model/finding.js';
import { formatValue } from '../model/format.js';
import type { Subject } from '../signals/signal.js';
import type { Alert } from './alert.js';
import { describeBreach, formatMeasure } from './describe.js';
import type { AlertRule } from './rule.js';

/** What an alert says of its trouble. */
export type Facts = Pick<
  Alert,
  'severity' | 'cause' | 'findingKey' | 'summary' | 'evidence' | 'firstRemedy' | 'value'
>;

/** What an alert over a signal says. */
export function factsOfNumber(rule: AlertRule, subject: Subject, signal: string, value: number): Facts {
  const { condition } = rule;
  return {
    severity: rule.severity === 'finding' ? 'warning' : rule.severity,
    cause: `signal:${signal}`,
    findingKey: null,
    value,
    summary: describeBreach(rule, subject, value),
    evidence:
      condition.kind === 'finding' || condition.kind === 'absent' ? null : formatMeasure(condition, value),
    firstRemedy: null,
  };
}

/** What an alert over a finding says: the finding's own words, which hold no job data. */
export function factsOfFinding(rule: AlertRule, finding: Finding): Facts {
  const [remedy] = finding.remedies;
  const [evidence] = finding.evidence;
  return {
    severity: rule.severity === 'finding' ? finding.severity : rule.severity,
    cause: finding.code,
    findingKey: finding.key,
    value: null,
    summary: finding.sentence,
    evidence: evidence ? `${evidence.label}: ${formatValue(evidence.value, evidence.unit)}` : null,
    firstRemedy: remedy ? `${remedy.label}: ${remedy.effect}` : null,
  };
}
