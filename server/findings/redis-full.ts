import type { Evidence, FindingRule, FoundNow } from '../model/finding.js';
import { formatBytes, formatRate } from '../model/format.js';
import type { RedisNode, Snapshot } from '../model/snapshot.js';
import { nodeName } from '../model/words.js';
import { mainHolder } from './main-holder.js';
import { parkLargestType, pauseLargest, raiseMaxmemory, reclaimRemedies } from './make-room.js';

export const redisFull: FindingRule = {
  code: 'redis.full',
  about:
    'Redis is over maxmemory with noeviction: it refuses writes that add memory, so producers fail and idle workers stop.',
  detect: (snapshot) => snapshot.nodes.filter((node) => node.isFull).map((node) => full(node, snapshot)),
};

function full(node: RedisNode, snapshot: Snapshot): FoundNow {
  const holder = mainHolder(snapshot);
  const refused =
    node.refusedPerSecond !== null && node.refusedPerSecond > 0
      ? `, ${formatRate(node.refusedPerSecond)} at present`
      : '';
  // Measured: busy workers go on draining while full, idle or restarted ones take nothing and spin on errors.
  return {
    severity: 'critical',
    queue: null,
    node: node.id,
    title: `${nodeName(node, snapshot)} is full`,
    sentence: `${nodeName(node, snapshot)} holds ${formatBytes(node.countedBytes)} of the ${formatBytes(node.maxBytes)} it is allowed and refuses writes that add memory${refused}: producers can't add jobs and idle workers can't take any, while busy workers go on draining; make room first, and do not restart or scale workers, nor resume or retry anything, until writes are accepted.${holder ? ` ${holder.sentence}` : ''}`,
    evidence: [
      ...memoryEvidence(node),
      { label: 'over the limit', value: Math.max(0, node.countedBytes - node.maxBytes), unit: 'bytes' },
      ...(holder?.evidence ?? []),
    ],
    // In this order: what takes the cause away comes after room, because more slots do nothing while Redis refuses.
    remedies: [
      ...reclaimRemedies(snapshot.queues),
      raiseMaxmemory(node),
      holder?.remedy ?? null,
      parkLargestType(snapshot.queues),
      pauseLargest(snapshot),
    ].filter((remedy) => remedy !== null),
    rank: 950,
    accountsFor: holder?.accountsFor ?? [],
  };
}

/** The numbers of a node's memory, for every finding about it. */
export function memoryEvidence(node: RedisNode): readonly Evidence[] {
  const evidence: Evidence[] = [{ label: 'held against the limit', value: node.countedBytes, unit: 'bytes' }];
  if (node.limit)
    evidence.push({ label: `limit (${node.limit.source})`, value: node.limit.bytes, unit: 'bytes' });
  if (node.usedRatio !== null)
    evidence.push({ label: 'share of the limit', value: node.usedRatio, unit: 'ratio' });
  if (node.forecast) {
    evidence.push({ label: 'growth', value: node.forecast.growthBytesPerSecond, unit: 'bytes/s' });
  }
  if (node.refusedPerSecond !== null) {
    evidence.push({ label: 'writes refused', value: node.refusedPerSecond, unit: 'count/s' });
  }
  return evidence;
}
