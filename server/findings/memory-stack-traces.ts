import type { FindingRule, FoundNow, Thresholds } from '../model/finding.js';
import { formatCount } from '../model/format.js';
import type { KindMemory, MemoryKind } from '../model/memory.js';
import type { QueueState, Snapshot } from '../model/snapshot.js';
import { magnitude, queueName } from '../model/words.js';
import { reclaimRemedies } from './make-room.js';
import { estimateEvidence, heldInWords, memorySeverity, shareEvidence, surelyHeld } from './memory-share.js';

/** Below this share of its queue a kind is not what makes it large. */
const NOTABLE_RATIO = 0.25;

export const memoryStackTraces: FindingRule = {
  code: 'memory.stack-traces',
  about: 'Stack traces of failed attempts make up much of what a queue holds.',
  detect: (snapshot, _nowMs, thresholds) =>
    snapshot.queues.flatMap((queue) => {
      const traces = kindOf(queue, 'stack-traces');
      if (!traces || surelyHeld(traces) < thresholds.retentionMinBytes) return [];
      const total = queue.memory?.totalBytes ?? 0;
      return surelyHeld(traces) >= total * NOTABLE_RATIO
        ? [stackTraces(queue, traces, snapshot, thresholds)]
        : [];
    }),
};

function stackTraces(
  queue: QueueState,
  traces: KindMemory,
  snapshot: Snapshot,
  thresholds: Thresholds,
): FoundNow {
  const { failed } = queue.counts;
  const whose =
    failed > 0 ? `${formatCount(failed)} failed jobs` : 'jobs that failed and wait for another try';
  return {
    severity: memorySeverity(traces, snapshot, thresholds),
    queue: queue.id,
    node: null,
    title: 'Stack traces hold memory',
    sentence: `Each failed attempt leaves its stack trace: in ${queueName(queue)} they hold ${heldInWords(traces, snapshot)}, with ${whose}; set stackTraceLimit and removeOnFail where its jobs are added, and clean the failed ones that nobody will look at.`,
    evidence: [
      estimateEvidence('stack traces', traces),
      ...shareEvidence(traces, snapshot),
      { label: 'failed jobs', value: failed, unit: 'jobs' },
      { label: 'all of the queue', value: queue.memory?.totalBytes ?? 0, unit: 'bytes' },
    ],
    remedies: reclaimRemedies([queue]).filter(({ args }) => args.state === 'failed'),
    rank: 210 + magnitude(traces.bytes / 4096),
  };
}

/** What a queue holds of one kind of data; null where it holds nothing of it, or nothing is known. */
export function kindOf(queue: QueueState, kind: MemoryKind): KindMemory | null {
  return queue.memory?.kinds.find((one) => one.kind === kind) ?? null;
}
