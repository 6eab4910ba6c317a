import type { HistoryLog } from '../history/history-log.js';
import type { AuditLog } from '../model/audit-record.js';
import type { Finding } from '../model/finding.js';
import type { TimelineLog } from '../model/timeline-entry.js';
import type { Watch } from '../watch/watch.js';
import { AlertCommands } from './alert-commands.js';
import { Alerting } from './alerting.js';
import type { AlertingStore } from './alerting-store.js';
import type { AlertsConfig } from './alerts-config.js';
import type { Notification } from './notification.js';

export interface AlertingParts {
  readonly config: AlertsConfig;
  readonly watch: Watch;
  readonly store: AlertingStore;
  readonly audit: AuditLog;
  readonly timeline: TimelineLog;
  /** null: none is kept, so rules can't be tested against the past. */
  readonly history: HistoryLog | null;
  readonly notify: (notification: Notification) => Promise<void>;
  readonly notifyAcknowledged: (notification: Notification) => Promise<void>;
  readonly holdsLease: () => boolean;
  /** Anchor of a finding on the overview. */
  readonly anchorOf: (finding: Finding) => string;
  readonly now: () => number;
  readonly newId: () => string;
  readonly warn: (message: string) => void;
}

/** Starts to judge by rules, and opens the desk for pages and API. A store that can't be read is told, and ends nothing. */
export async function startAlerting(
  parts: AlertingParts,
): Promise<{ readonly desk: AlertCommands; stop(): Promise<void> }> {
  const { config, anchorOf, warn } = parts;
  const pathOf = (finding: Finding | null): string =>
    finding === null ? '/alerts' : `/#${anchorOf(finding)}`;
  const alerting = new Alerting({ ...parts, pathOf, fileRules: config.rules, timing: config.timing });
  await alerting.start().catch((error: unknown) => {
    warn(`alert rules could not be read: ${error instanceof Error ? error.message : 'unknown reason'}`);
  });
  return { desk: new AlertCommands({ ...parts, pathOf, alerting }), stop: () => alerting.stop() };
}
