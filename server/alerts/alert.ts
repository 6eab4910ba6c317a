import type { FindingKey, Severity } from '../model/finding.js';
import type { SignalSubject } from '../signals/signal.js';
import type { Lifecycle } from '../timeline/lifecycle.js';

export interface AlertAcknowledgement {
  readonly actor: string;
  readonly atMs: number;
  readonly note: string;
}

/** What channels were sent of an alert last. */
export interface LastNotified {
  readonly status: 'firing' | 'resolved';
  readonly severity: Severity;
  readonly atMs: number;
}

/** One trouble of one subject by one rule, from its first sign to its end. Plain data: what is kept is what is restored. */
export interface Alert extends Lifecycle {
  readonly id: string;
  /** Rule and subject: the next alert about the same has the same key. */
  readonly key: string;
  readonly ruleId: string;
  readonly ruleName: string;
  readonly severity: Severity;
  readonly subject: SignalSubject;
  /** Code of the finding, or `signal:` and its name: what one message and inhibition go by. */
  readonly cause: string;
  /** The finding behind it; null: the rule is over a signal. */
  readonly findingKey: FindingKey | null;
  /** What the rule compares; null: not known now, or the rule is over findings. */
  readonly value: number | null;
  /** One sentence with its numbers; of a signal, as of the last transition. Holds no job data. */
  readonly summary: string;
  readonly evidence: string | null;
  /** Label and effect of the first remedy of its finding; null: none is known. */
  readonly firstRemedy: string | null;
  readonly runbookUrl: string | null;
  /** Name of the rule whose alert explains this one, so that nobody is notified of it by itself; null: none. */
  readonly inhibitedBy: string | null;
  readonly acknowledged: AlertAcknowledgement | null;
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
