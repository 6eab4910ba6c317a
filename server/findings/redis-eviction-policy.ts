import type { FindingRule, FoundNow } from '../model/finding.js';
import { formatCount, formatRate } from '../model/format.js';
import type { RedisNode, Snapshot } from '../model/snapshot.js';
import { nodeName, plainName } from '../model/words.js';
import { raiseMaxmemory, reclaimRemedies } from './make-room.js';

export const redisEvictionPolicy: FindingRule = {
  code: 'redis.eviction-policy',
  about:
    'maxmemory-policy is not noeviction: at the limit Redis deletes keys by itself, silently, jobs among them.',
  detect: (snapshot) =>
    snapshot.nodes
      .filter((node) => node.policy !== 'noeviction' && node.policy !== '')
      .map((node) => policy(node, snapshot)),
};

function policy(node: RedisNode, snapshot: Snapshot): FoundNow {
  const isEvicting = node.evictedPerSecond > 0;
  const name = plainName(node.policy);
  return {
    // Without maxmemory the policy never acts.
    severity: isEvicting ? 'critical' : node.maxBytes > 0 ? 'warning' : 'info',
    queue: null,
    node: node.id,
    title: isEvicting ? 'Redis is deleting keys' : `Eviction policy is ${name}`,
    sentence: isEvicting
      ? `${nodeName(node, snapshot)} is at its limit and deletes ${formatRate(node.evictedPerSecond)} keys by itself (policy ${name}), ${victims(node)}, and nothing reports them missing; make room now, then set maxmemory-policy noeviction.`
      : `${nodeName(node, snapshot)} has policy ${name}, so at its limit it deletes keys by itself, ${victims(node)}, and nothing reports them missing${past(node)}; BullMQ needs maxmemory-policy noeviction.`,
    evidence: [
      { label: 'policy', value: name },
      { label: 'keys evicted', value: node.evictedKeys, unit: 'count' },
      { label: 'keys evicted per second', value: node.evictedPerSecond, unit: 'count/s' },
    ],
    remedies: isEvicting
      ? [...reclaimRemedies(snapshot.queues), raiseMaxmemory(node)].filter((remedy) => remedy !== null)
      : [],
    rank: isEvicting ? 940 : node.evictedKeys > 0 ? 450 : 350,
  };
}

/** Only keys with an expiry fall to the volatile policies: with BullMQ those are locks and limiter windows, not jobs. */
function victims(node: RedisNode): string {
  return node.policy.startsWith('volatile')
    ? 'the locks of running jobs among them, so that jobs run twice'
    : 'jobs among them';
}

function past(node: RedisNode): string {
  return node.evictedKeys > 0 ? ` (${formatCount(node.evictedKeys)} since Redis was started)` : '';
}
