import type { FindingRule } from '../model/finding.js';
import { formatCount } from '../model/format.js';

export const agentsOverflow: FindingRule = {
  code: 'console.agents-overflow',
  about:
    'More is said on the channels of agents than the console takes in: some of it is not read, so that the rest goes on.',
  detect: ({ hearing: { overflow } }) => {
    if (!overflow) return [];
    const { messages, workers, types } = overflow;
    const lost = [
      ...(messages > 0 ? [`${formatCount(messages)} messages were not read`] : []),
      ...(workers > 0 ? [`${formatCount(workers)} times a worker was not taken in`] : []),
      ...(types > 0 ? [`${formatCount(types)} times a job type was counted with others`] : []),
    ];
    return [
      {
        severity: 'warning',
        queue: null,
        node: null,
        title: 'Agents say more than the console takes in',
        sentence: `Somebody publishes more on the channels spillway:* of this Redis than agents do: ${lost.join(', ')}. Workers may be shown late or not at all; queues are read as ever. Find out who publishes, and allow PUBLISH on spillway:* to workers alone.`,
        evidence: [{ label: 'messages not read', value: messages, unit: 'count' }],
        remedies: [],
        rank: 460,
      },
    ];
  },
};
