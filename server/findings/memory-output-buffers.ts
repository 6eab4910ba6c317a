import { fact } from '../model/evidence.js';
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
      fact('output-buffers', 'output buffers', node.clientOutputBytes, 'bytes'),
      fact('limit-share', 'share of the limit', ratio, 'ratio'),
      ...(node.memory
        ? [fact('client-buffers', 'all buffers of clients', node.memory.clientBytes, 'bytes')]
        : []),
      fact('clients', 'clients', node.connectedClients, 'count'),
    ],
    remedies: raise ? [raise] : [],
    rank: 700 + Math.min(99, ratio * 100),
  };
}
