import { compareSeverity } from '../../findings/track.js';
import type { Finding, Severity } from '../../model/finding.js';
import { globMatcher } from '../../model/glob.js';
import type { AlertRule, FindingCondition } from '../rule.js';

/** Test of whether a rule is about a finding: its code, its severity, and whom it is about. */
export function findingMatcher(
  { scope }: AlertRule,
  { code, leastSeverity }: FindingCondition,
): (finding: Finding) => boolean {
  const [isCode, isInstance, isQueue, isType] = [code, scope.instance, scope.queue, scope.type].map(
    globMatcher,
  );
  const least: Severity = leastSeverity;
  return (finding) =>
    (isCode?.(finding.code) ?? false) &&
    compareSeverity(finding.severity, least) <= 0 &&
    (isInstance?.(finding.instance) ?? false) &&
    isAbout(scope.queue, isQueue, finding.queue === null ? (finding.queues ?? []) : [finding.queue]) &&
    isAbout(scope.type, isType, finding.jobType === undefined ? [] : [finding.jobType]);
}

/** A rule about everything matches what is about nobody; one about some matches if any of them is meant. */
function isAbout(
  glob: string,
  matches: ((text: string) => boolean) | undefined,
  names: readonly string[],
): boolean {
  return glob === '*' || names.some((name) => matches?.(name) ?? false);
}
