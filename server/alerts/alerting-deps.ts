import type { TimelineLog } from '../model/timeline-entry.js';
import type { Watch } from '../watch/watch.js';
import type { AlertingStore } from './alerting-store.js';
import type { GroupTiming } from './grouping.js';
import type { Notification } from './notification.js';
import type { PathOf } from './notification-of.js';
import type { AlertRule } from './rule.js';

/** What judging needs of the rest of the console. */
export interface AlertingDeps {
  readonly watch: Pick<Watch, 'snapshots' | 'snapshot' | 'findings' | 'onTick'>;
  readonly store: AlertingStore;
  readonly timeline: Pick<TimelineLog, 'append'>;
  /** Takes a message for the channels; it may be given the same one (by id) twice, after a crash. */
  readonly notify: (notification: Notification) => Promise<void>;
  /** Takes, for the channels that were told of alerts, that somebody knows of them; it may be given the same twice. */
  readonly notifyAcknowledged: (notification: Notification) => Promise<void>;
  /** Of several consoles that share a store, one judges. */
  readonly holdsLease: () => boolean;
  /** Rules of the configuration: these count, whatever the store says. */
  readonly fileRules: readonly AlertRule[];
  readonly timing: GroupTiming;
  readonly pathOf: PathOf;
  readonly now: () => number;
  readonly newId: () => string;
  readonly warn: (message: string) => void;
}
