import type { FindingKey, Severity } from '../model/finding.js';
import type { Subject } from '../signals/signal.js';
import type { Course } from './alert-state.js';

export interface Acknowledgement {
  readonly actor: string;
  readonly atMs: number;
  readonly note: string;
}

/** What channels were told of an alert last. */
export interface Told {
  readonly status: 'firing' | 'resolved';
  readonly severity: Severity;
  readonly atMs: number;
}

/** One trouble of one subject by one rule, from its first sign to its end. Plain data: what is kept is what is restored. */
export interface Alert extends Course {
  readonly id: string;
  /** Rule and subject: the next alert about the same has the same key. */
  readonly key: string;
  readonly ruleId: string;
  readonly ruleName: string;
  readonly severity: Severity;
  readonly subject: Subject;
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
  /** Name of the rule whose alert explains this one, so that it is not told by itself; null: none. */
  readonly inhibitedBy: string | null;
  readonly acknowledged: Acknowledgement | null;
  readonly told: Told | null;
}

/** What one tick did to one alert. `dropped`: it was pending, and never fired. */
export interface Transition {
  readonly kind: 'pending' | 'firing' | 'resolved' | 'dropped';
  readonly alert: Alert;
}
