import type { FindingRule, FoundNow } from '../model/finding.js';
import { formatBytes, formatRatio } from '../model/format.js';
import type { RedisNode, Snapshot } from '../model/snapshot.js';
import { nodeName } from '../model/words.js';
import { raiseMaxmemory } from './make-room.js';

/** From this share of the limit on, clients that don't read take room that jobs need. */
const NOTABLE_RATIO = 0.1;
/** What a pipeline under way leaves for a moment is no finding, however small the limit. */
const MIN_BYTES = 1024 * 1024;
const LARGE_RATIO = 0.25;

export const memoryOutputBuffers: FindingRule = {
  code: 'memory.output-buffers',
  about:
    'Clients that do not read what they asked for keep a tenth of the memory limit or more in output buffers.',
  detect: (snapshot) =>
    snapshot.nodes.flatMap((node) => {
      const limitBytes = node.limit?.bytes ?? 0;
      return limitBytes >= 1 && node.clientOutputBytes >= Math.max(MIN_BYTES, limitBytes * NOTABLE_RATIO)
        ? [outputBuffers(node, limitBytes, snapshot)]
        : [];
    }),
};

/** A monitoring tool can be the cause: listeners to the events of many queues that fell behind have filled a Redis. */
function outputBuffers(node: RedisNode, limitBytes: number, snapshot: Snapshot): FoundNow {
  const ratio = node.clientOutputBytes / limitBytes;
  const raise = raiseMaxmemory(node);
  return {
    severity: ratio >= LARGE_RATIO || node.isFull ? 'critical' : 'warning',
    queue: null,
    node: node.id,
    title: `Clients hold ${formatBytes(node.clientOutputBytes)} unread`,
    sentence: `Clients of ${nodeName(node, snapshot)} do not read their answers as fast as they come, so ${formatBytes(node.clientOutputBytes)}, ${formatRatio(ratio)} of the limit, waits for them in output buffers and leaves no room for jobs: find the one with the largest omem in CLIENT LIST and end it (listeners to events, dashboards and MONITOR come first), and set client-output-buffer-limit so that Redis does so by itself.`,
    evidence: [
      { name: 'output-buffers', label: 'output buffers', value: node.clientOutputBytes, unit: 'bytes' },
      { name: 'limit-share', label: 'share of the limit', value: ratio, unit: 'ratio' },
      ...(node.memory
        ? [
            {
              name: 'client-buffers',
              label: 'all buffers of clients',
              value: node.memory.clientBytes,
              unit: 'bytes' as const,
            },
          ]
        : []),
      { name: 'clients', label: 'clients', value: node.connectedClients, unit: 'count' },
    ],
    remedies: raise ? [raise] : [],
    rank: 700 + Math.min(99, ratio * 100),
  };
}
