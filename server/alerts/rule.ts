import type { Severity } from '../model/finding.js';

/** On which side of a threshold it is bad. */
export type Side = 'above' | 'below';

/** Whom a rule is about, as globs. */
export interface RuleScope {
  readonly instance: string;
  /** Of queue ids (`prefix:name`). Signals that are not about a queue ignore it, findings about none match `*` alone. */
  readonly queue: string;
  readonly type: string;
}

/** A signal beyond a number, in the signal's unit. */
export interface CompareCondition {
  readonly kind: 'compare';
  readonly signal: string;
  readonly is: Side;
  readonly threshold: number;
  /** At or behind this it is over; null: at the threshold itself. */
  readonly clear: number | null;
}
/** A signal in bytes beyond a share of what Redis may hold (maxmemory, else container or host). */
export interface ShareCondition {
  readonly kind: 'share-of-limit';
  readonly signal: string;
  readonly aboveRatio: number;
  readonly clearRatio: number | null;
}
/** A signal that changes too fast, over a window. */
export interface RateCondition {
  readonly kind: 'rate-of-change';
  readonly signal: string;
  readonly is: Side;
  readonly perSecond: number;
  readonly clearPerSecond: number | null;
  readonly windowSeconds: number;
}
/** At its present trend a signal reaches a level soon. */
export interface PredictedCondition {
  readonly kind: 'predicted';
  readonly signal: string;
  /** In the unit of the signal; `limit`: what Redis may hold, for bytes. */
  readonly reaches: number | 'limit';
  readonly withinSeconds: number;
  readonly clearSeconds: number | null;
  readonly windowSeconds: number;
}
/** Nothing comes: the signal is 0 or not known, while another one (where given) is above a number. */
export interface AbsentCondition {
  readonly kind: 'absent';
  readonly signal: string;
  readonly whileSignal: string | null;
  readonly whileAbove: number;
}
/** A signal far from what it usually is. */
export interface BaselineCondition {
  readonly kind: 'baseline';
  readonly signal: string;
  readonly is: Side | 'off';
  /** Times its usual deviation. */
  readonly deviations: number;
  readonly clearDeviations: number | null;
  readonly windowSeconds: number;
}
/** What the console finds by itself. */
export interface FindingCondition {
  readonly kind: 'finding';
  /** Glob of codes, e.g. `worker.*`. */
  readonly code: string;
  readonly leastSeverity: Severity;
}

export type SignalCondition =
  | CompareCondition
  | ShareCondition
  | RateCondition
  | PredictedCondition
  | AbsentCondition
  | BaselineCondition;
export type Condition = SignalCondition | FindingCondition;

/** What is worth waking somebody for. */
export interface AlertRule {
  readonly id: string;
  readonly name: string;
  readonly isEnabled: boolean;
  /** `finding`: that of the finding, for rules over findings. */
  readonly severity: Severity | 'finding';
  readonly scope: RuleScope;
  readonly condition: Condition;
  /** It must hold for so long, as far as it was looked at. */
  readonly forMs: number;
  /** It must be over for so long; longer where it flaps. */
  readonly keepFiringMs: number;
  readonly runbookUrl: string | null;
}

export const EVERYTHING: RuleScope = { instance: '*', queue: '*', type: '*' };
