import { type QueueQuery, queueQueryString } from '../../../views/links.js';
import { QueuesPage } from '../../../views/queues-page.js';
import { type RecoveryProps, RecoveryStrip } from '../../../views/recovery-strip.js';
import type { Actor, Role } from '../../model/role.js';
import type { AppDeps } from '../app-deps.js';
import type { LiveView } from '../live/hub.js';
import { html, swapPart } from '../live/hub.js';
import { chromeOf } from './chrome.js';
import { frameParts } from './overview.js';
import { freshPast, latestPast, type OverviewPast } from './overview-past.js';
import { queueTableOf, queueTableParts } from './queue-table.js';

/** All queues, with what is under way to bring jobs back on top. */
export async function queuesPage(deps: AppDeps, actor: Actor, query: QueueQuery) {
  const past = await freshPast(deps);
  const nowMs = deps.now();
  const parts = new URLSearchParams([['view', 'queues'], ...new URLSearchParams(queueQueryString(query))]);
  const frame = { actor, nowMs, current: '/queues', subject: 'Queues', liveUrl: `/live?${parts}` };
  const view = {
    recovery: recoveryOf(deps, past, actor.role),
    replayGroups: Object.keys(deps.groups),
    queues: queueTableOf(deps, {
      ...{ query, place: '/queues', role: actor.role, nowMs },
      held: past?.parkings ?? [],
    }),
  };
  return <QueuesPage chrome={chromeOf(deps, frame)} view={view} />;
}

/** What changes on it. */
export function queuesLive(deps: AppDeps, role: Role, query: QueueQuery): LiveView {
  return {
    key: `queues|${role}|${queueQueryString(query)}`,
    render: () => {
      const nowMs = deps.now();
      const past = latestPast(deps);
      const held = past?.parkings ?? [];
      return [
        ...frameParts(deps, nowMs, 'Queues'),
        swapPart('recovery', html(<RecoveryStrip {...recoveryOf(deps, past, role)} />)),
        ...queueTableParts(queueTableOf(deps, { query, place: '/queues', role, held, nowMs })),
      ];
    },
  };
}

function recoveryOf(
  { replays, replayQueues }: AppDeps,
  past: OverviewPast | null,
  role: Role,
): RecoveryProps {
  return {
    replays: replays.list(),
    replayQueues: replayQueues.list(),
    held: past?.parkings ?? [],
    role,
    back: '/queues',
  };
}
