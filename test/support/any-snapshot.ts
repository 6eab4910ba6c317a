import fc from 'fast-check';
import type { NodeMemory, QueueMemory, TypeMemory } from '../../server/model/memory.js';
import type {
  MemoryForecast,
  QueueRates,
  QueueState,
  RedisNode,
  Snapshot,
} from '../../server/model/snapshot.js';
import type { WorkerState } from '../../server/model/worker.js';
import { aWorker } from './fleet.js';
import { anyJobType } from './job-types.js';
import {
  aNode,
  aQueue,
  aSnapshot,
  NOW_MS,
  someCapabilities,
  someMemory,
  someNodeMemory,
} from './snapshot.js';

const anyAmount = fc.oneof(
  fc.constantFrom(0, 1, 1e9, 1e15),
  fc.double({ min: 0, max: 1e12, noNaN: true }),
  fc.nat(1000),
);
const anyWhole = fc.oneof(fc.constantFrom(0, 1, 20, 100_000), fc.nat(10_000_000));
const anyTime = fc.oneof(
  fc.integer({ min: NOW_MS - 100_000, max: NOW_MS }),
  fc.constantFrom(0, NOW_MS, NOW_MS + 5000),
);
const orNull = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arbitrary, { nil: null });

/** Any characters at all: controls, quotes, half surrogates, emoji. */
const anyName: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 30 }),
  fc.constantFrom(
    'a"b\\c\nd',
    'x'.repeat(300),
    '<script>alert(1)</script>',
    'ünï code',
    '\ud800',
    'a,redis:b',
    '\r\u2028',
  ),
);

/** Any queue and Snapshot that the types allow with sane units: every state of link, node, queue and permission. Queue ids are unique. */
export function anyWorldOf(anyName: fc.Arbitrary<string>): {
  readonly anyQueue: fc.Arbitrary<QueueState>;
  readonly anySnapshot: fc.Arbitrary<Snapshot>;
} {
  const anyForecast: fc.Arbitrary<MemoryForecast> = fc.record({
    growthBytesPerSecond: fc.oneof(anyAmount, fc.constant(-5000)),
    growthRange: fc.tuple(anyAmount, anyAmount),
    fullInSeconds: orNull(anyAmount),
    fullInRange: orNull(fc.tuple(anyAmount, anyAmount)),
    notKnown: fc.constantFrom(null, null, 'the trend allows anything from 1 s to 2 h'),
    windowMs: anyAmount,
  });

  const anyNodeMemory: fc.Arbitrary<NodeMemory> = fc
    .record({
      queuesToSample: anyWhole,
      foreign: orNull(
        fc.record({
          bytes: anyAmount,
          errorBytes: anyAmount,
          keys: anyWhole,
          largest: fc.array(fc.record({ key: anyName, bytes: anyAmount }), { maxLength: 3 }),
        }),
      ),
      clientBytes: anyAmount,
      unattributedBytes: fc.oneof(anyAmount, fc.constant(-5000)),
    })
    .map((over) => someNodeMemory(over));

  const anyNode: fc.Arbitrary<RedisNode> = fc
    .record({
      address: anyName,
      isReadOnly: fc.boolean(),
      countedBytes: anyAmount,
      maxBytes: anyAmount,
      limit: orNull(
        fc.record({
          bytes: anyAmount,
          source: fc.constantFrom('maxmemory' as const, 'cgroup' as const, 'host' as const),
        }),
      ),
      usedRatio: orNull(fc.double({ min: 0, max: 3, noNaN: true })),
      hostBytes: orNull(anyAmount),
      policy: fc.constantFrom('noeviction', 'allkeys-lru', 'volatile-ttl', ''),
      forecast: orNull(anyForecast),
      isFull: fc.boolean(),
      refusedPerSecond: orNull(anyAmount),
      evictedKeys: anyWhole,
      evictedPerSecond: anyAmount,
      replicationLinkUp: fc.boolean(),
      unsaved: orNull(
        fc.record({
          what: fc.constantFrom('snapshot' as const, 'append-only file' as const),
          refusedAtMs: orNull(anyWhole),
        }),
      ),
      uptimeSeconds: anyAmount,
      clientOutputBytes: anyAmount,
      memory: orNull(anyNodeMemory),
    })
    .map((over) => aNode(over));

  const anyRates: fc.Arbitrary<QueueRates> = fc.record({
    arrivalsPerSecond: anyAmount,
    departuresPerSecond: anyAmount,
    growthPerSecond: fc.oneof(anyAmount, fc.constant(-3)),
    isGrowing: fc.boolean(),
    windowMs: anyAmount,
  });

  const anyType: fc.Arbitrary<TypeMemory> = fc.record({
    type: anyName,
    bytes: anyAmount,
    errorBytes: anyAmount,
    unfinished: anyWhole,
    unfinishedError: anyWhole,
    backlogBytes: anyAmount,
    completedBytes: anyAmount,
    failedBytes: anyAmount,
    bytesPerJob: anyAmount,
  });

  const anyMemory: fc.Arbitrary<QueueMemory> = fc
    .record({
      readAtMs: anyTime,
      sampledJobs: anyWhole,
      backlogBytes: anyAmount,
      completedBytes: anyAmount,
      failedBytes: anyAmount,
      eventsBytes: anyAmount,
      totalBytes: anyAmount,
      errorBytes: anyAmount,
      types: fc.array(anyType, { maxLength: 3 }),
      kinds: fc.array(
        fc.record({
          kind: fc.constantFrom('payload' as const, 'stack-traces' as const, 'events' as const),
          bytes: anyAmount,
          errorBytes: anyAmount,
        }),
        { maxLength: 3 },
      ),
      largest: orNull(
        fc.record({
          jobId: anyName,
          type: anyName,
          bytes: anyAmount,
          state: fc.constantFrom('waiting' as const, 'failed' as const),
        }),
      ),
    })
    .map((over) => someMemory(over));

  const anyQueue: fc.Arbitrary<QueueState> = fc
    .record({
      name: anyName,
      counts: fc.record({
        waiting: anyWhole,
        prioritized: anyWhole,
        active: anyWhole,
        completed: anyWhole,
        failed: anyWhole,
      }),
      flow: fc.constantFrom(
        'running' as const,
        'running' as const,
        'paused-by-spillway' as const,
        'paused' as const,
      ),
      pause: orNull(fc.record({ formerConcurrency: orNull(anyWhole), atMs: anyTime, actor: anyName })),
      concurrency: orNull(anyWhole),
      rateLimit: orNull(fc.record({ max: anyWhole, durationMs: anyWhole })),
      rateLimitedForMs: anyWhole,
      observedLimiterMs: anyWhole,
      eventsLength: anyWhole,
      oldestWaitingAtMs: orNull(anyTime),
      workers: orNull(fc.nat(3)),
      rates: orNull(anyRates),
      drainSeconds: orNull(fc.oneof(anyAmount, fc.constant(Number.POSITIVE_INFINITY))),
      lastDepartureAtMs: orNull(anyTime),
      firstSeenAtMs: anyTime,
      memory: orNull(anyMemory),
      types: fc.uniqueArray(anyJobType(anyName), { maxLength: 4, selector: ({ name }) => name }),
      depthTrend: fc.array(anyWhole, { maxLength: 5 }),
    })
    .map((over) => aQueue(over));

  /** Workers of these queues, some without the agent, several in one process. */
  function anyWorkers(queues: readonly QueueState[]): fc.Arbitrary<readonly WorkerState[]> {
    if (queues.length === 0) return fc.constant([]);
    return fc
      .array(
        fc.record({
          queueId: fc.constantFrom(...queues.map(({ id }) => id)),
          label: anyName,
          isConnected: orNull(fc.boolean()),
          agent: orNull(
            fc.record({
              agentId: fc.constantFrom('agent-1', 'agent-2', 'agent-3'),
              lastBeatAtMs: anyTime,
              clockOffsetMs: fc.constant(0),
              concurrency: fc.record({
                deployed: fc.integer({ min: 1, max: 500 }),
                now: fc.integer({ min: 1, max: 500 }),
              }),
              running: fc.nat(500),
              isClosing: fc.boolean(),
              loopDelayP99Ms: fc.nat(5_000),
              finishedPerSecond: anyAmount,
              paused: fc.constantFrom(null, null, 'guard' as const),
            }),
          ),
        }),
        { maxLength: 8 },
      )
      .map((all) => all.map((over, i) => aWorker({ ...over, id: `worker-${i}` })));
  }

  const anySnapshot: fc.Arbitrary<Snapshot> = fc
    .record({
      nodes: fc.array(anyNode, { maxLength: 3 }),
      queues: fc.uniqueArray(anyQueue, { maxLength: 25, selector: (queue) => queue.id }),
      link: fc.record({
        status: fc.constantFrom(
          'live' as const,
          'live' as const,
          'stale' as const,
          'connecting' as const,
          'unreachable' as const,
        ),
        problem: orNull(anyName),
        lastReadAtMs: orNull(anyTime),
        sinceMs: anyTime,
        topology: fc.constantFrom('single' as const, 'sentinel' as const, 'cluster' as const),
      }),
      capabilities: orNull(
        fc
          .record({ canSetConfig: fc.boolean(), canWrite: fc.boolean(), canRunScripts: fc.boolean() })
          .map(someCapabilities),
      ),
    })
    .chain((parts) => anyWorkers(parts.queues).map((workers) => ({ ...parts, workers })))
    .map(({ nodes, ...rest }) =>
      aSnapshot({
        ...rest,
        nodes: nodes.map((node, i) => ({ ...node, id: `node-${i}`, address: `${i}-${node.address}` })),
      }),
    );

  return { anyQueue, anySnapshot };
}

export const { anyQueue, anySnapshot } = anyWorldOf(anyName);
