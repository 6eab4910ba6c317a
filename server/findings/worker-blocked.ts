import type { FindingRule } from '../model/finding.js';
import { formatCount } from '../model/format.js';

export const workerBlocked: FindingRule = {
  code: 'worker.blocked',
  about: 'Workers are refused by a full Redis; redis.full is the cause and has the remedies.',
  detect({ workers }) {
    const blocked = workers.filter(({ verdict }) => verdict === 'blocked');
    const [first] = blocked;
    if (!first) return [];
    const held = blocked.filter(({ agent }) => agent?.guard.sinceMs != null).length;
    const one = blocked.length === 1;
    const guard =
      held === 0
        ? 'without the guard they would spin'
        : `their agents hold ${held === blocked.length ? 'them' : formatCount(held)} back from spinning and let go within a second of relief`;
    return [
      {
        queue: null,
        node: null,
        worker: one ? first.id : null,
        queues: [...new Set(blocked.map(({ queueId }) => queueId))].slice(0, 100),
        severity: 'warning',
        title: one ? 'A worker is blocked' : `${formatCount(blocked.length)} workers are blocked`,
        sentence: `${one ? '1 worker is' : `${formatCount(blocked.length)} workers are`} refused new jobs because Redis is full; ${guard}. Make room; restarting them would stop what still drains.`,
        evidence: [
          { label: 'workers', value: blocked.length, unit: 'count' },
          { label: 'held back by the guard', value: held, unit: 'count' },
        ],
        remedies: [],
        rank: 60 + Math.min(39, blocked.length),
      },
    ];
  },
};
