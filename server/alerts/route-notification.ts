import type { Severity } from '../model/finding.js';
import { globMatcher } from '../model/glob.js';
import type { ChannelSettings } from './channels/channel-settings.js';
import type { Notification } from './notification.js';

const WEIGHT: Readonly<Record<Severity, number>> = { info: 0, warning: 1, critical: 2 };

/** Names of the channels that a notification goes to: severe enough, and of an instance that the channel asks for. */
export function channelsFor(
  { severity, instance, alerts }: Pick<Notification, 'severity' | 'instance' | 'alerts'>,
  channels: readonly Pick<ChannelSettings, 'name' | 'minSeverity' | 'instances'>[],
): readonly string[] {
  // The worst that is told: a group whose one critical alert is over must reach whoever was told of it.
  const weight = Math.max(WEIGHT[severity], ...alerts.map((alert) => WEIGHT[alert.severity]));
  return channels
    .filter(({ minSeverity }) => weight >= WEIGHT[minSeverity])
    .filter(({ instances }) => instances.some((glob) => globMatcher(glob)(instance)))
    .map(({ name }) => name);
}
