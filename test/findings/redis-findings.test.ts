import { describe, expect, test } from 'vitest';
import type { CurrentFinding } from '../../server/model/finding.js';
import { DEFAULT_THRESHOLDS } from '../../server/model/finding.js';
import type { MemoryForecast, Snapshot } from '../../server/model/snapshot.js';
import { detectFindings, wordsOf } from '../support/few-words.js';
import {
  aFullNode,
  aNode,
  aQueue,
  aSnapshot,
  MB,
  NOW_MS,
  someMemory,
  someRates,
  someType,
} from '../support/snapshot.js';

const find = (snapshot: Snapshot): readonly CurrentFinding[] =>
  detectFindings(snapshot, NOW_MS, DEFAULT_THRESHOLDS);
const one = (snapshot: Snapshot, code: string): CurrentFinding => {
  const found = find(snapshot).find((finding) => finding.code === code);
  if (!found)
    throw new Error(
      `no ${code} among ${
        find(snapshot)
          .map((f) => f.code)
          .join(', ') || 'nothing'
      }`,
    );
  return found;
};
const codes = (snapshot: Snapshot): readonly string[] => find(snapshot).map((finding) => finding.code);

const filling = (fullInSeconds: number, growth = 0.5 * MB): MemoryForecast => ({
  growthBytesPerSecond: growth,
  growthRange: [growth * 0.9, growth * 1.1],
  fullInSeconds,
  fullInRange: [fullInSeconds / 1.1, fullInSeconds / 0.9],
  notKnown: null,
  windowMs: 60_000,
});

test('a quiet, healthy Redis has no findings', () => {
  expect(find(aSnapshot({ queues: [aQueue({ counts: { active: 3, completed: 50 } })] }))).toEqual([]);
});

describe('redis.full', () => {
  const heavy = aQueue({
    name: 'track',
    counts: { waiting: 90_000, completed: 5000, failed: 4000 },
    eventsLength: 10_000,
    lastDepartureAtMs: NOW_MS - 90_000,
    memory: someMemory({
      backlogBytes: 60 * MB,
      completedBytes: 20 * MB,
      failedBytes: 12 * MB,
      eventsBytes: 1.5 * MB,
    }),
  });
  const orders = aQueue({ name: 'orders', counts: { waiting: 40 }, lastDepartureAtMs: NOW_MS - 90_000 });
  const full = aSnapshot({ nodes: [aFullNode()], queues: [heavy, orders] });

  test('it stands at the top, says what is refused, what still drains and what holds the memory', () => {
    const [first] = find(full);
    expect(first).toMatchObject({ code: 'redis.full', severity: 'critical', node: 'node-1', queue: null });
    expect(wordsOf(first)).toContain('holds 110 MB of 100 MB');
    expect(first?.headline).toBe('Redis is full: 420 writes/s rejected');
    expect(wordsOf(first)).toContain('busy workers go on draining');
    expect(first?.cause).toContain('Pending jobs of track take 60 MB');
  });

  test('what suffices comes first, then by harmlessness: completed, then failed jobs; a pause frees nothing', () => {
    const { remedies } = one(full, 'redis.full');
    expect(remedies.map((remedy) => [remedy.action, remedy.args])).toEqual([
      ['redis.raise-maxmemory', { maxBytes: 160 * MB }],
      ['queue.clean-finished', { state: 'completed', keep: 100 }],
      ['queue.clean-finished', { state: 'failed', keep: 1000 }],
    ]);
    expect(remedies[1]?.predictedFreedBytes).toBe(Math.round(20 * MB * 0.98));
    expect(remedies[2]?.predictedFreedBytes).toBe(12 * MB * 0.75);
  });

  test('where nothing suffices, the queue that holds most can be paused, so that others get what room there is', () => {
    const managed = aSnapshot({ ...full, capabilities: { canSetConfig: false } });
    const { remedies } = one(managed, 'redis.full');
    expect(remedies.at(-1)).toMatchObject({ action: 'queue.pause', queues: ['bull:track'] });
  });

  test('what frees nothing beside the need is not offered, unless nothing else makes room', () => {
    // 48 MB, filled by one type that waits, with a few events and finished jobs: what was offered first freed 0.4 MB.
    const node = aNode({ countedBytes: 48.2 * MB, maxBytes: 48 * MB, isFull: true });
    const track = aQueue({
      name: 'track',
      counts: { waiting: 38_000, completed: 400 },
      eventsLength: 3_000,
      lastDepartureAtMs: NOW_MS - 90_000,
      memory: someMemory({
        backlogBytes: 44 * MB,
        completedBytes: 0.3 * MB,
        eventsBytes: 0.4 * MB,
        types: [someType({ type: 'track', backlogBytes: 44 * MB })],
      }),
    });
    const actions = (snapshot: Snapshot) => one(snapshot, 'redis.full').remedies.map(({ action }) => action);
    expect(actions(aSnapshot({ nodes: [node], queues: [track] }))).toEqual([
      'redis.raise-maxmemory',
      'queue.park',
    ]);
    const alone = { ...track, memory: someMemory({ completedBytes: 0.3 * MB, eventsBytes: 0.4 * MB }) };
    expect(
      actions(aSnapshot({ nodes: [node], queues: [alone], capabilities: { canSetConfig: false } })),
    ).toContain('queue.trim-events');
  });

  test('nothing that adds work is offered anywhere while it is full', () => {
    const snapshot = aSnapshot({
      nodes: [aFullNode()],
      queues: [
        heavy,
        aQueue({ name: 'paused', flow: 'paused', counts: { waiting: 500 } }),
        aQueue({
          name: 'capped',
          concurrency: 2,
          counts: { waiting: 500, active: 2 },
          lastDepartureAtMs: NOW_MS,
        }),
        aQueue({
          name: 'limited',
          rateLimit: { max: 1, durationMs: 1000 },
          rateLimitedForMs: 900,
          counts: { waiting: 500 },
          lastDepartureAtMs: NOW_MS,
        }),
      ],
    });
    const actions = find(snapshot).flatMap((finding) => finding.remedies.map((remedy) => remedy.action));
    expect(actions).not.toContain('queue.resume');
    expect(actions).not.toContain('queue.concurrency');
    expect(actions).not.toContain('queue.rate-limit');
    expect(codes(snapshot)).toEqual(
      expect.arrayContaining(['queue.paused-with-backlog', 'queue.capped', 'queue.rate-limited']),
    );
  });

  test('queues that it stops are reported with it, and are no alarms of their own', () => {
    expect(codes(full)).not.toContain('queue.stuck');
    expect(one(full, 'redis.full').explains).toEqual(
      ['bull:track', 'bull:orders'].map((queue) =>
        expect.objectContaining({
          code: 'queue.stuck',
          queue,
          headline: `${queue.slice('bull:'.length)}: blocked, as Redis is full`,
        }),
      ),
    );
  });

  test('the small queue that matters is never offered for a pause, nor one that still drains', () => {
    const draining = aQueue({ ...heavy, rates: someRates({ departuresPerSecond: 70 }) });
    const snapshot = aSnapshot({ nodes: [aFullNode()], queues: [draining, orders] });
    expect(one(snapshot, 'redis.full').remedies.map((remedy) => remedy.action)).not.toContain('queue.pause');
  });

  test('a few large finished jobs are worth cleaning too', () => {
    const twenty = aQueue({
      name: 'ai',
      counts: { completed: 232 },
      memory: someMemory({ completedBytes: 80 * MB }),
    });
    const { remedies } = one(aSnapshot({ nodes: [aFullNode()], queues: [twenty] }), 'redis.full');
    expect(remedies[0]).toMatchObject({
      action: 'queue.clean-finished',
      args: { state: 'completed', keep: 100 },
    });
    const dozen = aQueue({
      name: 'ai',
      counts: { completed: 60 },
      memory: someMemory({ completedBytes: 80 * MB }),
    });
    expect(one(aSnapshot({ nodes: [aFullNode()], queues: [dozen] }), 'redis.full').remedies[0]).toMatchObject(
      {
        args: { state: 'completed', keep: 10 },
      },
    );
  });

  test('maxmemory is never raised beyond three quarters of the host, nor to where it does not help', () => {
    const tight = aNode({ ...aFullNode(), hostBytes: 180 * MB });
    expect(one(aSnapshot({ nodes: [tight] }), 'redis.full').remedies).toMatchObject([
      { args: { maxBytes: 135 * MB } },
    ]);
    const none = aNode({ ...aFullNode(), hostBytes: 140 * MB });
    expect(one(aSnapshot({ nodes: [none] }), 'redis.full').remedies).toEqual([]);
  });

  test('where CONFIG SET is forbidden no button offers it, and it says what is left', () => {
    const managed = aSnapshot({ ...full, capabilities: { canSetConfig: false } });
    const finding = one(managed, 'redis.full');
    expect(finding.remedies.map((remedy) => remedy.action)).not.toContain('redis.raise-maxmemory');
    expect(finding.remedies).not.toHaveLength(0);
    expect(wordsOf(finding)).toContain('Raise maxmemory where Redis is managed');
  });

  test('a console that may not write offers no queue actions', () => {
    const reader = aSnapshot({
      ...full,
      capabilities: { canWrite: false, refusals: { canWrite: 'NOPERM' } },
    });
    const finding = one(reader, 'redis.full');
    expect(finding.remedies.map((remedy) => remedy.action)).toEqual(['redis.raise-maxmemory']);
    expect(wordsOf(finding)).toContain("without that it can't act");
    expect(one(reader, 'redis.read-only')).toMatchObject({
      severity: 'info',
      headline: 'The console may only look',
    });
  });

  test('in a Cluster each full master is a finding of its own, with its address', () => {
    const cluster = aSnapshot({
      link: { topology: 'cluster' },
      nodes: [aNode({ id: 'a' }), aFullNode({ id: 'b', address: '10.0.0.2:6379' })],
    });
    expect(one(cluster, 'redis.full')).toMatchObject({ node: 'b', key: 'redis.full|default||b' });
    expect(wordsOf(one(cluster, 'redis.full'))).toMatch(/^Redis 10\.0\.0\.2:6379 is full/);
  });
});

describe('redis.filling', () => {
  test('it reports the time to full, the growth and what happens then', () => {
    const finding = one(
      aSnapshot({ nodes: [aNode({ countedBytes: 50 * MB, forecast: filling(190) })] }),
      'redis.filling',
    );
    expect(finding).toMatchObject({ severity: 'critical', headline: 'Redis is full in 3 min' });
    expect(finding.cause).toContain('grows by 512 KB/s');
    expect(finding.effect).toContain('producers are rejected');
  });

  test('two minutes before full it is critical, whatever the share is', () => {
    const node = aNode({ countedBytes: 30 * MB, forecast: filling(100) });
    expect(one(aSnapshot({ nodes: [node] }), 'redis.filling').severity).toBe('critical');
  });

  test('far away and half empty it is no finding', () => {
    expect(
      codes(aSnapshot({ nodes: [aNode({ countedBytes: 50 * MB, forecast: filling(9000, 6000) })] })),
    ).toEqual([]);
  });

  test('at 85% without growth it is still reported, and not as a time', () => {
    const still = { ...filling(1, 0), fullInSeconds: null, fullInRange: null };
    const node = aNode({ countedBytes: 85 * MB, forecast: still });
    const finding = one(aSnapshot({ nodes: [node] }), 'redis.filling');
    expect(finding).toMatchObject({ severity: 'warning', headline: 'Redis is 85% full' });
    expect(wordsOf(finding)).toContain('is not growing now');
  });

  test('a few seconds of growth do not forecast the next hour', () => {
    const node = aNode({ countedBytes: 30 * MB, forecast: { ...filling(600), windowMs: 8000 } });
    expect(codes(aSnapshot({ nodes: [node] }))).toEqual([]);
    const watched = aNode({ countedBytes: 30 * MB, forecast: filling(600) });
    expect(codes(aSnapshot({ nodes: [watched] }))).toEqual(['redis.filling']);
  });

  test("without maxmemory the container's limit counts, and what follows is worse", () => {
    const node = aNode({ countedBytes: 480 * MB, maxBytes: 0, limit: { bytes: 512 * MB, source: 'cgroup' } });
    const finding = one(aSnapshot({ nodes: [node] }), 'redis.filling');
    expect(finding.severity).toBe('critical');
    expect(wordsOf(finding)).toContain("its container's limit");
    expect(wordsOf(finding)).toContain('Redis is OOM-killed');
  });
});

describe('redis.no-limit and redis.eviction-policy', () => {
  test('no maxmemory is worth knowing, and a warning from half of the machine on', () => {
    const small = aNode({ countedBytes: 80 * MB, maxBytes: 0, limit: { bytes: 8192 * MB, source: 'host' } });
    expect(one(aSnapshot({ nodes: [small] }), 'redis.no-limit')).toMatchObject({ severity: 'info' });
    const large = aNode({
      countedBytes: 5000 * MB,
      maxBytes: 0,
      limit: { bytes: 8192 * MB, source: 'host' },
    });
    expect(one(aSnapshot({ nodes: [large] }), 'redis.no-limit')).toMatchObject({ severity: 'warning' });
    const { evidence } = one(aSnapshot({ nodes: [aNode({ maxBytes: 0, limit: null })] }), 'redis.no-limit');
    expect(evidence).toMatchObject([{ name: 'held', value: 20 * MB }]);
  });

  test('a policy that may delete jobs is a warning before it has done so and critical while it does', () => {
    const silent = one(aSnapshot({ nodes: [aNode({ policy: 'allkeys-lru' })] }), 'redis.eviction-policy');
    expect(silent).toMatchObject({ severity: 'warning' });
    expect(wordsOf(silent)).toContain('jobs among them');
    const now = one(
      aSnapshot({
        nodes: [
          aNode({ policy: 'allkeys-lru', countedBytes: 99 * MB, evictedPerSecond: 31, evictedKeys: 900 }),
        ],
      }),
      'redis.eviction-policy',
    );
    expect(now).toMatchObject({ severity: 'critical', headline: 'Redis is deleting keys' });
    expect(now.remedies.map((remedy) => remedy.action)).toEqual(['redis.raise-maxmemory']);
  });

  test('volatile policies take the locks, so it does not claim lost jobs', () => {
    const { effect } = one(
      aSnapshot({ nodes: [aNode({ policy: 'volatile-lru' })] }),
      'redis.eviction-policy',
    );
    expect(effect).toContain('jobs run twice');
  });
});

describe('redis.unsaved', () => {
  const at = (refusedAtMs: number | null) =>
    one(aSnapshot({ nodes: [aNode({ unsaved: { what: 'snapshot', refusedAtMs } })] }), 'redis.unsaved');

  test('is critical while somebody is refused, and a warning where nobody has tried for half a minute', () => {
    expect(at(NOW_MS - 20_000).severity).toBe('critical');
    expect(at(NOW_MS - 40_000).severity).toBe('warning');
    expect(at(null)).toMatchObject({ severity: 'warning', headline: "Redis can't save to disk" });
    expect(wordsOf(at(null))).toMatch(
      /Nobody has tried to write lately.*what its log names.*stop-writes-on-bgsave-error no/,
    );
  });
});

describe('redis.read-only', () => {
  test('a replica behind a plain address is a warning, one that Sentinel led to is critical', () => {
    const nodes = [aNode({ role: 'replica', isReadOnly: true })];
    expect(one(aSnapshot({ nodes }), 'redis.read-only')).toMatchObject({ severity: 'warning', remedies: [] });
    expect(one(aSnapshot({ nodes, link: { topology: 'sentinel' } }), 'redis.read-only').severity).toBe(
      'critical',
    );
  });

  test('a full replica offers no action that it would refuse', () => {
    const finding = one(
      aSnapshot({ nodes: [aFullNode({ role: 'replica', isReadOnly: true })] }),
      'redis.full',
    );
    expect(finding.remedies).toEqual([]);
    expect(wordsOf(finding)).toContain('Connect the console to the master');
  });
});

describe('when the console cannot see', () => {
  const full = aSnapshot({
    nodes: [aFullNode()],
    queues: [aQueue({ flow: 'paused', counts: { waiting: 90 } })],
  });

  test('a stale snapshot is critical as such, and what it shows is marked as last seen and offers nothing', () => {
    const stale = aSnapshot({
      ...full,
      link: { status: 'stale', problem: 'Redis does not answer.', lastReadAtMs: NOW_MS - 40_000 },
    });
    const [first, ...rest] = find(stale);
    expect(first).toMatchObject({
      code: 'console.stale',
      severity: 'critical',
      headline: 'The console is blind for 40 s',
    });
    expect(first?.cause).toContain('"Redis does not answer"');
    expect(rest.map((finding) => finding.code)).toContain('redis.full');
    for (const finding of rest) {
      expect(finding).toMatchObject({ severity: 'info', remedies: [], lastSeenAtMs: NOW_MS - 40_000 });
      expect(finding.action).toMatch(/^Not live: seen 40 s ago/);
    }
  });

  test('a poller that hangs is reported even while its last word was "live"', () => {
    const hung = aSnapshot({ ...full, link: { lastReadAtMs: NOW_MS - 5001 } });
    expect(find(hung)[0]).toMatchObject({ code: 'console.stale' });
    const slowed = aSnapshot({
      link: { lastReadAtMs: NOW_MS - 20_000 },
      poll: { intervalMs: 10_000, isSlowed: true },
    });
    expect(find(slowed)).toEqual([]);
  });

  test('an unreachable Redis is said once, with the reason', () => {
    const gone = aSnapshot({
      ...full,
      link: {
        status: 'unreachable',
        problem: 'connection refused',
        lastReadAtMs: NOW_MS - 65_000,
        sinceMs: NOW_MS - 60_000,
      },
    });
    expect(find(gone).filter((finding) => finding.severity === 'critical')).toMatchObject([
      { code: 'redis.unreachable', cause: expect.stringContaining('"connection refused"') },
    ]);
    expect(codes(gone)).not.toContain('console.stale');
  });

  test('a first connection gets five seconds before anything is said', () => {
    const start = { nodes: [], capabilities: null } as const;
    const link = { status: 'connecting', lastReadAtMs: null } as const;
    expect(find(aSnapshot({ ...start, link: { ...link, sinceMs: NOW_MS - 1000 } }))).toEqual([]);
    expect(find(aSnapshot({ ...start, link: { ...link, sinceMs: NOW_MS - 6000 } }))).toMatchObject([
      { code: 'redis.unreachable', severity: 'warning' },
    ]);
  });
});
