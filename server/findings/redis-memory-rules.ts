import { briefDuration, briefRate, briefRatio, headlineOf } from '../model/brief.js';
import { type Evidence, fact } from '../model/evidence.js';
import type { FindingRule, FoundNow, Remedy, Thresholds } from '../model/finding.js';
import { formatBytes, formatBytesPerSecond, formatDuration } from '../model/format.js';
import { isSettling } from '../model/sight.js';
import type { RedisNode, Snapshot } from '../model/snapshot.js';
import { capitalized, nodeName, plainName } from '../model/words.js';
import {
  pauseLargest,
  raiseMaxmemoryRemedy,
  reclaimRemedies,
  roomRemedies,
  wholeMegabytes,
} from './make-room.js';
import { mainHolder } from './memory-share.js';

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
    node: node.id,
    headline: headlineOf(
      nodeName(node, snapshot),
      isEvicting ? ' is deleting keys' : ` may delete keys by itself`,
    ),
    cause: isEvicting
      ? `It is at its limit, and policy ${name} lets it delete keys.`
      : `Its maxmemory-policy is ${name}, where BullMQ needs noeviction.`,
    effect: isEvicting
      ? `${capitalized(briefRate(node.evictedPerSecond, 'keys'))} vanish, ${victims(node)}, and nothing reports them.`
      : `At its limit keys vanish, ${victims(node)}, and nothing reports them.`,
    action: `${isEvicting ? 'Make room now, then set' : 'Set'} maxmemory-policy to noeviction.`,
    evidence: [
      fact('evictions', 'evicted', node.evictedPerSecond, 'count/s'),
      fact('evicted', 'evicted since start', node.evictedKeys, 'count'),
      fact('policy', 'policy', name),
    ],
    remedies: isEvicting
      ? [...reclaimRemedies(snapshot.queues), raiseMaxmemoryRemedy(node)].filter((remedy) => remedy !== null)
      : [],
    rank: isEvicting ? 940 : node.evictedKeys > 0 ? 450 : 350,
  };
}

/** Only keys with an expiry fall to the volatile policies: with BullMQ those are locks and limiter windows, not jobs. */
function victims(node: RedisNode): string {
  return node.policy.startsWith('volatile') ? 'locks among them, so that jobs run twice' : 'jobs among them';
}

/** Above this share of the machine a missing limit is no longer a matter of taste. */
const WARN_RATIO = 0.5;
/** What Redis may take of the machine: the rest is for fragmentation, output buffers and the copy of a fork. */
const ADVISED_SHARE = 0.75;

export const redisNoLimit: FindingRule = {
  code: 'redis.no-limit',
  about:
    'No maxmemory is set: Redis grows until the container or the machine is out of memory and the kernel ends it.',
  detect: (snapshot) =>
    snapshot.nodes
      .filter((node) => node.maxBytes <= 0)
      .map((node) => ({
        severity: (node.usedRatio ?? 0) >= WARN_RATIO ? 'warning' : 'info',
        node: node.id,
        headline: headlineOf(nodeName(node, snapshot), ' has no memory limit'),
        cause: `No maxmemory is set: ${bound(node)}.`,
        effect: 'When that is used up, Redis is OOM-killed, with every job not on disk.',
        action: `Set maxmemory${node.limit ? ` to about ${formatBytes(node.limit.bytes * ADVISED_SHARE)}` : ', below what its machine has'}.`,
        evidence: [
          fact('held', 'used memory', node.countedBytes, 'bytes'),
          ...(node.limit
            ? [fact('limit', `memory of the ${node.limit.source}`, node.limit.bytes, 'bytes')]
            : []),
        ],
        remedies: setLimit(node),
        rank: 100 + 49 * Math.min(1, node.usedRatio ?? 0),
      })),
};

/** A first limit, where it leaves room to what is held: one that made Redis refuse writes at once would be no help. */
function setLimit(node: RedisNode): readonly Remedy[] {
  const maxBytes = node.limit ? wholeMegabytes(node.limit.bytes * ADVISED_SHARE) : 0;
  // With another policy a limit would not refuse writes but begin to delete jobs.
  if (maxBytes < node.countedBytes * 1.25 || maxBytes <= 0 || node.policy !== 'noeviction') return [];
  return [
    {
      action: 'redis.raise-maxmemory',
      label: `Set maxmemory to ${formatBytes(maxBytes)}`,
      effect: `From there on Redis rejects writes instead of being OOM-killed; put it into redis.conf too.`,
      queues: [],
      args: { maxBytes },
    },
  ];
}

function bound(node: RedisNode): string {
  if (!node.limit) return 'only the memory of its machine bounds it';
  const where = node.limit.source === 'cgroup' ? 'its container' : 'its machine';
  return `only the ${formatBytes(node.limit.bytes)} of ${where} bound it`;
}

export const redisFull: FindingRule = {
  code: 'redis.full',
  about:
    'Redis is over maxmemory with noeviction: it refuses writes that add memory, so producers fail and idle workers stop.',
  detect: (snapshot) => snapshot.nodes.filter((node) => node.isFull).map((node) => full(node, snapshot)),
};

function full(node: RedisNode, snapshot: Snapshot): FoundNow {
  const holder = mainHolder(snapshot);
  const rejected =
    node.refusedPerSecond !== null && node.refusedPerSecond > 0
      ? `: ${briefRate(node.refusedPerSecond, 'writes')} rejected`
      : ': writes are rejected';
  return {
    severity: 'critical',
    node: node.id,
    headline: headlineOf(nodeName(node, snapshot), ` is full${rejected}`),
    cause:
      holder?.cause ??
      `It holds ${formatBytes(node.countedBytes)} of the ${formatBytes(node.maxBytes)} it is allowed.`,
    effect: "Producers can't add jobs; idle workers take none.",
    action: holder?.target
      ? `Make room first, then ${holder.target}; restart nothing before.`
      : "Make room; don't scale, restart or retry until writes are accepted.",
    // Measured: busy workers go on draining while full, idle or restarted ones take nothing and spin on errors.
    detail: `It holds ${formatBytes(node.countedBytes)} of ${formatBytes(node.maxBytes)}. Policy noeviction rejects writes that add memory (OOM); busy workers go on draining, scaled or restarted ones take nothing.${holder?.detail ? ` ${holder.detail}` : ''}`,
    evidence: [
      // While it refuses writes its growth says nothing.
      ...memoryEvidence(node).filter(({ name }) => name !== 'growth'),
      fact('over-limit', 'over maxmemory', Math.max(0, node.countedBytes - node.maxBytes), 'bytes'),
      ...(holder?.evidence ?? []),
    ],
    // Their order is of enough.ts, and a plan of room and what takes the cause away, which does nothing while Redis refuses.
    remedies: [
      ...roomRemedies(snapshot, node),
      pauseLargest(snapshot),
      holder?.isSure ? holder.remedy : null,
    ].filter((remedy) => remedy !== null),
    ...(holder?.remedy && !holder.isSure ? { next: holder.remedy } : {}),
    rank: 950,
    accountsFor: holder?.accountsFor ?? [],
  };
}

const LIMITS = { maxmemory: 'maxmemory', cgroup: 'container', host: 'machine' } as const;

/** The numbers of a node's memory, for every finding about it. */
function memoryEvidence(node: RedisNode): readonly Evidence[] {
  const evidence: Evidence[] = [fact('held', 'used memory', node.countedBytes, 'bytes')];
  if (node.limit) evidence.push(fact('limit', LIMITS[node.limit.source], node.limit.bytes, 'bytes'));
  if (node.forecast) evidence.push(fact('growth', 'growth', node.forecast.growthBytesPerSecond, 'bytes/s'));
  if (node.refusedPerSecond !== null)
    evidence.push(fact('writes-refused', 'rejected', node.refusedPerSecond, 'count/s'));
  if (node.usedRatio !== null) evidence.push(fact('limit-share', 'used of limit', node.usedRatio, 'ratio'));
  return evidence;
}

/** Less time than this is too little to find out more: act now. */
const ACT_NOW_SECONDS = 300;
/** A forecast alone is only that red with half of the room gone, or after growth that lasted: else it is a burst's first seconds. */
const RED_FROM_RATIO = 0.5;
const LASTING_MS = 60_000;

export const redisFilling: FindingRule = {
  code: 'redis.filling',
  about: 'Redis is close to its memory limit, or will be there within the horizon at the present growth.',
  detect: (snapshot, nowMs, thresholds) =>
    snapshot.nodes
      .filter((node) => !node.isFull && isFilling(node, thresholds))
      .map((node) => filling(node, snapshot, nowMs, thresholds)),
};

/** What was watched for two minutes says nothing about the next hour: this many times the window is forecast. */
const WINDOWS_AHEAD = 10;

function isFilling(node: RedisNode, thresholds: Thresholds): boolean {
  return (node.usedRatio ?? 0) >= thresholds.memoryWarnRatio || isFullSoon(node, thresholds);
}

function isFullSoon({ forecast }: RedisNode, thresholds: Thresholds): boolean {
  const seconds = forecast?.fullInSeconds ?? null;
  if (forecast === null || seconds === null) return false;
  const credible = (WINDOWS_AHEAD * forecast.windowMs) / 1000;
  return seconds > 0 && seconds <= Math.min(thresholds.fillHorizonSeconds, credible);
}

/** Is the trend old and far enough to call it urgent, and not of before a change that was just made? */
function isUrgent({ forecast, usedRatio }: RedisNode, snapshot: Snapshot, nowMs: number): boolean {
  const seconds = forecast?.fullInSeconds ?? null;
  if (forecast === null || seconds === null || seconds > ACT_NOW_SECONDS) return false;
  if (isSettling(snapshot, nowMs)) return false;
  return (usedRatio ?? 0) >= RED_FROM_RATIO || forecast.windowMs >= LASTING_MS;
}

function filling(node: RedisNode, snapshot: Snapshot, nowMs: number, thresholds: Thresholds): FoundNow {
  const seconds = node.forecast?.fullInSeconds ?? null;
  const isSoon = isFullSoon(node, thresholds);
  const isCritical =
    (node.usedRatio ?? 0) >= thresholds.memoryCriticalRatio || (isSoon && isUrgent(node, snapshot, nowMs));
  const holder = mainHolder(snapshot);
  // Redis still takes writes, so what takes the cause away works at once.
  const remedies = [holder?.remedy ?? null, ...roomRemedies(snapshot, node)].filter(
    (remedy) => remedy !== null,
  );
  return {
    severity: isCritical ? 'critical' : 'warning',
    node: node.id,
    headline: headlineOf(
      nodeName(node, snapshot),
      isSoon && seconds !== null
        ? ` is full in ${briefDuration(seconds)}`
        : ` is ${briefRatio(node.usedRatio ?? 0)} full`,
    ),
    cause: holder?.cause ?? growthInWords(node),
    effect: `Once it is full, ${consequence(node)}.`,
    action: holder?.target
      ? `Now, while writes pass, ${holder.target}, or make room.`
      : 'Make room, drain faster, or add fewer jobs.',
    detail: `${state(node)}${holder?.detail ? ` ${holder.detail}` : ''}`,
    evidence: [
      ...(isSoon ? fullIn(node) : []),
      ...memoryEvidence(node),
      ...(isSoon ? [] : fullIn(node)),
      ...(holder?.evidence ?? []),
    ],
    remedies,
    rank: 800 + urgency(seconds, node.usedRatio ?? 0),
    accountsFor: holder?.accountsFor ?? [],
  };
}

function growthInWords(node: RedisNode): string {
  const growth = node.forecast?.growthBytesPerSecond ?? 0;
  return growth > 0
    ? `It grows by ${formatBytesPerSecond(growth)}.`
    : `It holds ${formatBytes(node.countedBytes)}${node.forecast ? ' and is not growing now' : ''}.`;
}

function state(node: RedisNode): string {
  const limit = node.limit ? ` of ${formatBytes(node.limit.bytes)}${limitSource(node)}` : '';
  return `It holds ${formatBytes(node.countedBytes)}${limit}${band(node)}.`;
}

function fullIn({ forecast }: RedisNode): readonly Evidence[] {
  if (forecast === null) return [];
  if (forecast.notKnown !== null) return [fact('full-in', 'full in', `not known: ${forecast.notKnown}`)];
  const { fullInSeconds } = forecast;
  return fullInSeconds === null ? [] : [fact('full-in', 'full in', fullInSeconds, 'seconds')];
}

function limitSource(node: RedisNode): string {
  if (node.limit?.source === 'cgroup') return " (its container's limit, as no maxmemory is set)";
  if (node.limit?.source === 'host') return " (the host's memory, as no maxmemory is set)";
  return '';
}

/** Earliest and latest, where they differ enough to matter. */
function band(node: RedisNode): string {
  const range = node.forecast?.fullInRange;
  if (!range || !(range[1] > range[0] * 1.3) || !Number.isFinite(range[1])) return '';
  return ` and is full in ${formatDuration(range[0])} to ${formatDuration(range[1])} at this growth`;
}

function consequence(node: RedisNode): string {
  if (node.limit && node.limit.source !== 'maxmemory')
    return 'Redis is OOM-killed, with every job not yet on disk';
  if (node.policy === 'noeviction') return 'producers are rejected and idle workers stop';
  return `Redis deletes keys by itself (${node.policy}), jobs among them`;
}

/** 0..99: less time and less room come first. */
function urgency(seconds: number | null, usedRatio: number): number {
  const byTime = seconds === null ? 0 : 50 / (1 + Math.max(0, seconds) / 60);
  return byTime + 49 * Math.min(1, Math.max(0, usedRatio));
}
