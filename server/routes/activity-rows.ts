import type { ActivityEntry } from '../model/activity-entry.js';
import type { ActivityRow } from '../model/activity-row.js';
import { groupActivity } from '../timeline/group-activity.js';
import { titleOfAction } from './action-titles.js';
import type { AppDeps } from './app-deps.js';

/** Alerts that ended in the range; a page shows no more. */
const MAX_ALERTS = 500;
/** An alert is over some time after it has stopped being so. */
const RESOLVES_WITHIN_MS = 30 * 60_000;

/** What was read of a range, as rows that people read: one for each trouble and for what was done. */
export async function activityRows(
  deps: Pick<AppDeps, 'episodes' | 'alerts'>,
  range: { readonly fromMs: number; readonly toMs: number },
  entries: readonly ActivityEntry[],
): Promise<readonly ActivityRow[]> {
  const [episodes, open, over] = await Promise.all([
    deps.episodes.between(range),
    deps.alerts.open(),
    deps.alerts.resolved({ sinceMs: range.fromMs - RESOLVES_WITHIN_MS, limit: MAX_ALERTS }),
  ]);
  const alerts = [...open, ...over].map(({ alert }) => alert);
  return groupActivity({ entries, episodes, alerts, titleOf: titleOfAction });
}
