import type { Severity } from '../model/finding.js';
import type { Subject } from '../signals/signal.js';

/** One alert as a message tells it. */
export interface AlertNotice {
  /** The same as long as rule and subject are: what Alertmanager and PagerDuty deduplicate by. */
  readonly fingerprint: string;
  readonly alertId: string;
  readonly rule: string;
  readonly severity: Severity;
  readonly subject: Subject;
  readonly status: 'firing' | 'resolved';
  readonly startsAtMs: number;
  /** null: it still fires. */
  readonly endsAtMs: number | null;
  /** What is wrong, in one sentence with its numbers and units. Holds no job data. */
  readonly summary: string;
  /** The number behind it as text with unit, such as `87% of 512 MB`; null: the rule is about absence. */
  readonly evidence: string | null;
  readonly runbookUrl: string | null;
}

/** What a channel is told: the alerts of one group, which have one cause. */
export interface Notification {
  /** The same for each try to deliver it, so that whoever receives it twice can tell. */
  readonly id: string;
  /** The same from the group's first message to its last. */
  readonly groupKey: string;
  /** `acknowledged`: somebody knows of what was told as firing; for channels alone that take it. */
  readonly status: 'firing' | 'acknowledged' | 'resolved';
  /** Of the worst alert in it. */
  readonly severity: Severity;
  readonly instance: string;
  /** What is wrong, in a few words. */
  readonly title: string;
  readonly sinceMs: number;
  readonly alerts: readonly AlertNotice[];
  /** Label and effect of the first remedy of the finding behind it; null: none is known. */
  readonly firstRemedy: string | null;
  /** Path and query that open the console at that finding, such as `/#finding-…`; the channel puts the public URL before. */
  readonly path: string;
  readonly createdAtMs: number;
}
