import { ReplayButtons, ReplayCard, ReplayStatus } from '../../../views/replay-card.js';
import { ReplayQueues } from '../../../views/replay-queues.js';
import { PauseAll } from '../../../views/replay-summary.js';
import type { Role } from '../../model/role.js';
import type { AppDeps } from '../app-deps.js';
import type { LiveView } from '../live/hub.js';
import { html, listParts, swapPart } from '../live/part.js';
import { frameParts } from './overview.js';
import { type ParkedPlace, parkedLive } from './parked.js';
import { pauseAllOf, replayQueuesOf } from './replay-summary-view-model.js';
import { MAX_CARDS, replayCardOf } from './replay-view-model.js';

/** What changes on the page of replays: also cards of those that begin or are forgotten elsewhere. */
export function replaysLive(deps: AppDeps, role: Role): LiveView {
  const parked = parkedLive(deps, parkedPlace(role));
  /** Whole cards by what is not a live part of them: sent when that changes, and else only their live parts. */
  let shells = new Map<string, { readonly key: string; readonly html: string }>();
  return {
    key: `replays|${role}`,
    render: () => {
      const nowMs = deps.now();
      const views = deps.replays.list();
      const queues = deps.replayQueues.list();
      const cards = views.slice(0, MAX_CARDS).map((view) => replayCardOf(view, role, nowMs, '/replays'));
      const kept = new Map<string, { readonly key: string; readonly html: string }>();
      for (const card of cards) {
        const key = `${card.status.stateWord}|${card.buttons.ratePerSecond}`;
        const known = shells.get(card.id);
        kept.set(card.id, known?.key === key ? known : { key, html: html(<ReplayCard {...card} />) });
      }
      shells = kept;
      return [
        ...frameParts(deps, nowMs, 'Replays'),
        swapPart('replays-all', html(<PauseAll {...pauseAllOf(views, queues, role, '/replays')} />)),
        swapPart('replay-queue-list', html(<ReplayQueues {...replayQueuesOf(queues, role)} />)),
        ...listParts(
          'replays',
          cards.map(({ id }) => ({ id, html: kept.get(id)?.html ?? '' })),
        ),
        ...cards.flatMap((card) => [
          swapPart(card.status.id, html(<ReplayStatus {...card.status} />)),
          swapPart(card.buttons.id, html(<ReplayButtons {...card.buttons} />)),
        ]),
        ...parked(),
      ];
    },
  };
}

/** All that is parked, on the page of replays. */
export function parkedPlace(role: Role): ParkedPlace {
  return { role, back: '/replays', of: null };
}
