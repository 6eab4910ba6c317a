import { DEFAULT_THRESHOLDS } from '../../server/model/finding.js';
import type { KindMemory, NodeMemory, QueueMemory, TypeMemory } from '../../server/model/memory.js';
import { queueVerdict } from '../../server/model/queue-verdict.js';
import type { Capabilities, LinkState } from '../../server/model/sight.js';
import type {
  PollState,
  QueueCounts,
  QueueRates,
  QueueState,
  RedisNode,
  Snapshot,
} from '../../server/model/snapshot.js';
import type { SeenWorker } from '../../server/model/worker.js';
import { judgeFleet } from '../../server/watch/judge-fleet.js';

/** The moment at which snapshots of these builders are taken: 2026-01-02 03:04:05 UTC. */
export const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5);
export const MB = 1024 * 1024;

type With<T, Nested> = Partial<Omit<T, keyof Nested>> & Nested;

/** A Redis 7 master with 20 MB of 100 MB used, quiet and healthy, unless said otherwise. */
export function aNode(over: Partial<RedisNode> = {}): RedisNode {
  const countedBytes = over.countedBytes ?? over.usedBytes ?? 20 * MB;
  const maxBytes = over.maxBytes ?? 100 * MB;
  const limit =
    over.limit !== undefined
      ? over.limit
      : maxBytes > 0
        ? { bytes: maxBytes, source: 'maxmemory' as const }
        : null;
  const policy = over.policy ?? 'noeviction';
  return {
    id: 'node-1',
    address: '127.0.0.1:6379',
    readAtMs: NOW_MS,
    version: '7.0.15',
    runId: 'a'.repeat(40),
    uptimeSeconds: 86_400,
    role: 'master',
    isReadOnly: false,
    usedBytes: countedBytes,
    rssBytes: Math.round(countedBytes * 1.1),
    hostBytes: 8192 * MB,
    fragmentationRatio: 1.1,
    forecast: null,
    refusedPerSecond: 0,
    evictedKeys: 0,
    evictedPerSecond: 0,
    connectedClients: 12,
    blockedClients: 4,
    clientOutputBytes: 0,
    replicas: 0,
    replicationLinkUp: true,
    unsaved: null,
    replicationBacklogBytes: 0,
    replicationLagBytes: null,
    opsPerSecond: 250,
    memory: null,
    cpuRatio: 0.05,
    ownCpuRatio: 0.002,
    ...over,
    policy,
    maxBytes,
    countedBytes,
    expectedGrowthBytesPerSecond:
      over.expectedGrowthBytesPerSecond !== undefined
        ? over.expectedGrowthBytesPerSecond
        : over.forecast
          ? Math.max(0, over.forecast.growthBytesPerSecond)
          : null,
    limit,
    usedRatio: over.usedRatio !== undefined ? over.usedRatio : limit ? countedBytes / limit.bytes : null,
    isFull: over.isFull ?? (maxBytes > 0 && countedBytes > maxBytes && policy === 'noeviction'),
  };
}

/** Over its limit by a tenth with noeviction: adding writes are refused. */
export function aFullNode(over: Partial<RedisNode> = {}): RedisNode {
  return aNode({ countedBytes: 110 * MB, maxBytes: 100 * MB, isFull: true, refusedPerSecond: 420, ...over });
}

export function someRates(over: Partial<QueueRates> = {}): QueueRates {
  return {
    arrivalsPerSecond: 0,
    departuresPerSecond: 0,
    growthPerSecond: 0,
    isGrowing: false,
    windowMs: 30_000,
    ...over,
  };
}

/** Memory of a queue; the total is the sum of its parts. */
export function someMemory(over: Partial<QueueMemory> = {}): QueueMemory {
  const parts = { backlogBytes: 0, completedBytes: 0, failedBytes: 0, eventsBytes: 0, ...over };
  return {
    readAtMs: NOW_MS,
    source: 'sample',
    sampledJobs: 100,
    errorBytes: 0,
    states: [],
    types: [],
    kinds: [],
    largest: null,
    ...parts,
    totalBytes:
      over.totalBytes ?? parts.backlogBytes + parts.completedBytes + parts.failedBytes + parts.eventsBytes,
  };
}

/** Jobs of one type that wait, and nothing else. */
export function waitingMemory(
  type: string,
  backlogBytes: number,
  unfinished: number,
  over: Parameters<typeof someMemory>[0] = {},
): QueueMemory {
  return someMemory({ backlogBytes, types: [someType({ type, backlogBytes, unfinished })], ...over });
}

/** Jobs of one type that all wait, unless said otherwise. */
export function someType(over: Partial<TypeMemory> = {}): TypeMemory {
  const parts = { backlogBytes: 0, completedBytes: 0, failedBytes: 0, ...over };
  return {
    type: 'track',
    errorBytes: 0,
    unfinished: 0,
    unfinishedError: 0,
    bytesPerJob: 1000,
    ...parts,
    bytes: over.bytes ?? parts.backlogBytes + parts.completedBytes + parts.failedBytes,
  };
}

export function someKind(kind: KindMemory['kind'], bytes: number, errorBytes = 0): KindMemory {
  return { kind, bytes, errorBytes };
}

/** A process whose memory is its queues and 1 MB of its own. */
export function someNodeMemory(over: Partial<NodeMemory> = {}): NodeMemory {
  return {
    readAtMs: NOW_MS,
    usedBytes: 20 * MB,
    queues: { bytes: 18 * MB, errorBytes: 0 },
    queuesToSample: 0,
    relay: null,
    foreign: { bytes: 0, errorBytes: 0, keys: 0, largest: [] },
    clientBytes: 100_000,
    replicaBufferBytes: 0,
    replicationBacklogBytes: 0,
    aofBytes: 0,
    scriptBytes: 0,
    keyspaceBytes: 50_000,
    startupBytes: MB,
    unattributedBytes: 0,
    fragmentationBytes: 2 * MB,
    ...over,
  };
}

export type QueueOver = With<QueueState, { readonly counts?: Partial<QueueCounts> }>;

/** An empty, running queue `bull:emails` with two workers, watched for an hour. Id, backlog and unfinished follow from the rest. */
export function aQueue(over: QueueOver = {}): QueueState {
  const prefix = over.prefix ?? 'bull';
  const name = over.name ?? 'emails';
  const counts: QueueCounts = {
    waiting: 0,
    legacyPaused: 0,
    prioritized: 0,
    active: 0,
    delayed: 0,
    waitingChildren: 0,
    completed: 0,
    failed: 0,
    ...over.counts,
  };
  return {
    id: `${prefix}:${name}`,
    kind: 'bullmq',
    groups: null,
    readAtMs: NOW_MS,
    backlog: counts.waiting + counts.prioritized,
    unfinished: counts.waiting + counts.prioritized + counts.active + counts.delayed + counts.waitingChildren,
    flow: 'running',
    // As aSnapshot judges it, together with nodes and workers.
    verdict: 'idle',
    verdictSinceMs: NOW_MS - 60_000,
    pause: null,
    isPauseOverridden: false,
    concurrency: null,
    rateLimit: null,
    rateLimitedForMs: 0,
    observedLimiterMs: 0,
    bullmqVersion: 'bullmq:6.7.0',
    addedTotal: 1000,
    eventsLength: 0,
    oldestWaitingAtMs: counts.waiting + counts.prioritized > 0 ? NOW_MS - 60_000 : null,
    workers: 2,
    overrides: [],
    backlogSinceMs: counts.waiting + counts.prioritized > 0 ? NOW_MS - 60_000 : null,
    rates: null,
    drainSeconds: null,
    lastDepartureAtMs: null,
    firstSeenAtMs: NOW_MS - 3_600_000,
    memory: null,
    tenants: null,
    types: [],
    count: null,
    depthTrend: [],
    ...over,
    prefix,
    name,
    counts,
  };
}

export function someCapabilities(over: Partial<Capabilities> = {}): Capabilities {
  return {
    version: '7.0.15',
    canFlagScripts: true,
    canReadConfig: true,
    canSetConfig: true,
    canListClients: true,
    canWrite: true,
    canRunScripts: true,
    canMeasureMemory: true,
    refusals: {},
    ...over,
  };
}

export type SnapshotOver = With<
  Snapshot,
  {
    readonly link?: Partial<LinkState>;
    readonly poll?: Partial<PollState>;
    readonly workers?: readonly SeenWorker[];
    readonly capabilities?: Partial<Capabilities> | null;
  }
>;

/** One live, healthy Redis named `default` with one node and no queues; its workers are judged as of its moment. */
export function aSnapshot(over: SnapshotOver = {}): Snapshot {
  const { workers = [], ...rest } = over;
  const seen: Omit<Snapshot, 'workers'> = {
    instance: 'default',
    atMs: NOW_MS,
    nodes: [aNode()],
    queues: [],
    unread: { queues: [], nodes: [] },
    hearing: {
      status: 'hearing',
      sinceMs: NOW_MS - 3_600_000,
      problem: null,
      lastHeardAtMs: NOW_MS,
      resubscribed: 0,
      agents: 0,
      unreadable: 0,
    },
    markers: [],
    actedAtMs: null,
    discovery: { lastPassAtMs: NOW_MS - 2000, passDurationMs: 12, keys: 1000 },
    ...rest,
    link: {
      status: 'live',
      problem: null,
      lastReadAtMs: NOW_MS,
      sinceMs: NOW_MS - 3_600_000,
      address: '127.0.0.1:6379',
      topology: 'single',
      ...over.link,
    },
    capabilities: over.capabilities === null ? null : someCapabilities(over.capabilities),
    poll: {
      intervalMs: 1000,
      baseIntervalMs: 1000,
      isSlowed: false,
      slowedBecause: null,
      lastTickMs: 4,
      roundTripMs: 2,
      ownCpuRatio: 0.002,
      budgetRatio: 0.01,
      ticks: 100,
      failedTicks: 0,
      ...over.poll,
    },
  };
  return judged({ ...seen, workers: judgeFleet(workers, seen, seen.atMs) });
}

/** The Snapshot with its queues judged, as the watcher does at each tick. */
function judged(snapshot: Snapshot): Snapshot {
  const queues = snapshot.queues.map((queue) => ({
    ...queue,
    verdict: queueVerdict(queue, snapshot, snapshot.atMs, DEFAULT_THRESHOLDS),
  }));
  return { ...snapshot, queues };
}
