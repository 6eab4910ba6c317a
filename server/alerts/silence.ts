import type { Severity } from '../model/finding.js';
import { globMatcher } from '../model/text.js';
import type { Alert } from './alert.js';

/** Which alerts a silence is about: all that are given must hold. Globs, but for the severity. */
export interface SilenceMatchers {
  readonly rule?: string;
  readonly cause?: string;
  readonly instance?: string;
  readonly queue?: string;
  readonly type?: string;
  readonly severity?: Severity;
}

/** Nobody is told of what it matches, until it ends. */
export interface Silence {
  readonly id: string;
  readonly matchers: SilenceMatchers;
  readonly author: string;
  readonly comment: string;
  readonly startsAtMs: number;
  readonly endsAtMs: number;
}

/** The silence that keeps an alert quiet for the longest; null: none does. */
export function silenceOf(
  alert: Pick<Alert, 'ruleId' | 'cause' | 'subject' | 'severity'>,
  silences: readonly Silence[],
  nowMs: number,
): Silence | null {
  let longest: Silence | null = null;
  for (const silence of silences) {
    if (silence.startsAtMs > nowMs || silence.endsAtMs <= nowMs) continue;
    if (longest !== null && longest.endsAtMs >= silence.endsAtMs) continue;
    if (isMeant(alert, silence.matchers)) longest = silence;
  }
  return longest;
}

function isMeant(
  { ruleId, cause, subject, severity }: Pick<Alert, 'ruleId' | 'cause' | 'subject' | 'severity'>,
  matchers: SilenceMatchers,
): boolean {
  const fits = (glob: string | undefined, text: string | null): boolean =>
    glob === undefined || (text === null ? glob === '*' : globMatcher(glob)(text));
  return (
    fits(matchers.rule, ruleId) &&
    fits(matchers.cause, cause) &&
    fits(matchers.instance, subject.instance) &&
    fits(matchers.queue, subject.queue) &&
    fits(matchers.type, subject.type) &&
    (matchers.severity === undefined || matchers.severity === severity)
  );
}
