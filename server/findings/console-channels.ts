import type { OwnFindingRule } from '../model/finding.js';
import { plainProblem } from '../model/words.js';

const MAX_TOLD = 3;

export const consoleChannels: OwnFindingRule = {
  code: 'console.channels',
  about: 'Channels of alerts fail again and again, or nobody sends what is due: alerts do not reach people.',
  detect: (problems) => {
    const failing = problems.filter(({ code }) => code === 'channel');
    const behind = problems.filter(({ code }) => code === 'outbox');
    const all = [...failing, ...behind];
    if (all.length === 0) return [];
    const told = all.slice(0, MAX_TOLD).map(({ text }) => plainProblem(text));
    const more = all.length > MAX_TOLD ? `, and ${all.length - MAX_TOLD} more` : '';
    const [first] = failing;
    return [
      {
        severity: 'warning',
        queue: null,
        node: null,
        title:
          failing.length === 1 && first
            ? `Alerts do not reach ${plainProblem(first.subject)}`
            : failing.length === 0
              ? 'Alerts are not sent'
              : `Alerts do not reach ${failing.length} channels`,
        sentence: `Whoever should be told of trouble is not: ${told.join('; ')}${more}. What waits is kept and tried again; see Channels.`,
        evidence: [{ label: 'channels that fail', value: failing.length, unit: 'count' }],
        remedies: [],
        rank: 490,
      },
    ];
  },
};
