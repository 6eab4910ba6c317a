import type { Role } from '../../model/role.js';
import type { AppDeps } from '../app-deps.js';
import { alertsLive } from '../pages/alerts.js';
import { channelsLive } from '../pages/channels-live.js';
import { fleetLive, parseFleetQuery } from '../pages/fleet.js';
import { incidentLive } from '../pages/incident-live.js';
import { instanceLive } from '../pages/instance.js';
import { memoryLive } from '../pages/memory.js';
import { frameParts, overviewLive } from '../pages/overview.js';
import { queueLive } from '../pages/queue.js';
import { parseQueueQuery } from '../pages/queue-query.js';
import { replaysLive } from '../pages/replays-live.js';
import { timelineLive } from '../pages/timeline.js';
import type { LiveView } from './hub.js';

/** The live side of a page, by the name and parameters that the page put into its stream's address; null for none. */
export function liveViewOf(
  deps: AppDeps,
  role: Role,
  query: Readonly<Record<string, string | undefined>>,
): LiveView | null {
  switch (query.view) {
    case 'overview':
      return overviewLive(deps, role, parseQueueQuery(query));
    case 'fleet':
      return fleetLive(deps, role, parseFleetQuery(query));
    case 'instance':
      return instanceLive(deps, role, query.instance ?? '');
    case 'replays':
      return replaysLive(deps, role);
    case 'alerts':
      return alertsLive(deps, role);
    case 'channels':
      return channelsLive(deps, role, (query.of ?? '').slice(0, 100));
    case 'incident':
      return incidentLive(deps, role, (query.id ?? '').slice(0, 100), (query.of ?? '').slice(0, 100));
    case 'memory':
      return memoryLive(deps, role, query.instance ?? '');
    case 'queue':
      return queueLive(deps, role, query.instance ?? '', query.queue ?? '');
    case 'timeline':
      return timelineLive(deps);
    case 'frame':
      return { key: 'frame', render: () => frameParts(deps, deps.now(), '') };
    default:
      return null;
  }
}
